"""XGBoost itself behind the engine protocol: the fallback, and what the gate compares with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from churn_daal.engine.anatomy import read_anatomy, read_config
from churn_daal.engine.objectives import objective_named
from churn_daal.engine.protocol import Matrix, check_matrix
from churn_daal.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

    import xgboost


class XGBoostEngine:
    """A booster that answers margins, with the same links as the oneDAL engines.

    Parameters
    ----------
    booster
        Any booster. It becomes the engine's own: a thread count is set on it.
    threads
        Threads of one call; 0 leaves XGBoost's choice, one for each core.

    Raises
    ------
    UserError
        The booster's objective is unknown to this release.
    """

    name = "xgboost"

    def __init__(self, booster: xgboost.Booster, *, threads: int = 0) -> None:
        anatomy = read_anatomy(read_config(booster))
        self.objective = objective_named(anatomy.objective)
        self.n_features = anatomy.n_features
        self.n_classes = anatomy.n_classes
        self._outputs = anatomy.n_classes or anatomy.n_targets
        self._booster = booster
        # inplace_predict may be called from many threads; gblinear has only predict, which
        # is not promised to be safe.
        self._lock = threading.Lock() if anatomy.kind == "gblinear" else None
        # Once and here: a parameter set between calls makes XGBoost configure itself anew.
        if threads:
            booster.set_param({"nthread": threads})

    def margin(self, X: Matrix) -> Matrix:
        """Return the raw scores, float32 `(n,)`."""
        if self.n_classes or self._outputs > 1:
            raise ValueError(
                f"a {self.objective.name} model with several outputs has no single margin for "
                f"{len(X)} rows; use predict"
            )
        return self._margins(X)

    def predict(self, X: Matrix) -> Matrix:
        """Answer rows, float32 `(n,)`, or `(n, K)` for several outputs."""
        return self.objective.respond(self._margins(X))

    def _margins(self, X: Matrix) -> Matrix:
        check_matrix(X, self.n_features)
        if not X.shape[0]:
            # XGBoost answers (0, 0).
            several = self.n_classes or self._outputs > 1
            return np.empty((0, self._outputs) if several else 0, dtype=np.float32)
        if self._lock is None:
            margins: Matrix = self._booster.inplace_predict(
                X, predict_type="margin", validate_features=False
            )
            return margins
        with self._lock:
            return predict_margins(self._booster, X)


def predict_margins(booster: xgboost.Booster, X: Matrix) -> Matrix:
    """Return `Booster.predict`'s margins, the reference all else is held against.

    Returns
    -------
    float32 `(n,)`, or `(n, outputs)`.
    """
    import xgboost  # noqa: PLC0415

    # The matrix carries no names: the schema has put the columns in order already.
    matrix = xgboost.DMatrix(X, missing=np.nan)
    margins: Matrix = booster.predict(matrix, output_margin=True, validate_features=False)
    return margins


def load_xgboost(path: Path, *, threads: int = 0) -> XGBoostEngine:
    """Load an engine from a file in one of XGBoost's own formats.

    Parameters
    ----------
    path
        The model file.
    threads
        Threads of one call; 0 leaves XGBoost's choice, one for each core.

    Raises
    ------
    ArtifactError
        The file is missing, or XGBoost cannot read it.
    UserError
        The model's objective is unknown to this release.
    """
    return XGBoostEngine(read_booster(path), threads=threads)


def read_booster(path: Path) -> xgboost.Booster:
    """Read a booster from a file in one of XGBoost's own formats.

    Check the file's hash first where there is one: XGBoost answers most damage with an error,
    but some damaged UBJ files end the process (3.2.0 and 3.4.1).

    Raises
    ------
    ArtifactError
        The file is missing, or XGBoost cannot read it.
    """
    import xgboost  # noqa: PLC0415

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"no XGBoost model can be read at {path}: {error.strerror}") from error
    if not data:
        # XGBoost would end the process.
        raise ArtifactError(f"{path} (0 bytes) is no model XGBoost can read: it is empty")
    booster = xgboost.Booster()
    try:
        # As bytes, since the format then shows from the content: the file has no suffix.
        booster.load_model(bytearray(data))
    except (xgboost.core.XGBoostError, UnicodeDecodeError) as error:
        cause = next((line for line in str(error).splitlines() if line.strip()), "no reason given")
        raise ArtifactError(
            f"{path} ({len(data):,} bytes) is no model XGBoost {xgboost.__version__} can read: "
            f"{cause}. Untar the model again or train again."
        ) from error
    return booster
