"""XGBoost itself behind the engine protocol: the fallback, and what the gate compares with."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.anatomy import read_anatomy, read_config
from churn_daal.engine.objectives import objective_named
from churn_daal.engine.protocol import Extra, Matrix, UnansweredError, check_matrix
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
    # It adds each row's trees up by itself.
    rows_alike = 1_000
    extras: frozenset[Extra] = frozenset({"margin", "contributions", "leaf"})

    def __init__(self, booster: xgboost.Booster, *, threads: int = 0) -> None:
        anatomy = read_anatomy(read_config(booster))
        self.objective = objective_named(anatomy.objective)
        self.n_features = anatomy.n_features
        self.n_classes = anatomy.n_classes
        self._outputs = anatomy.n_classes or anatomy.n_targets
        self._booster = booster
        self._threads = threads or None
        # inplace_predict may be called from many threads; gblinear has only predict, which
        # is not promised to be safe.
        self._lock = threading.Lock() if anatomy.kind == "gblinear" else None
        # Once and here: a parameter set between calls makes XGBoost configure itself anew.
        if threads:
            booster.set_param({"nthread": threads})

    def margin(self, X: Matrix) -> Matrix:
        """Return the scores before the link, float32 `(n,)`, or `(n, outputs)` where several."""
        return self._margins(X)

    def contributions(self, X: Matrix) -> Matrix:
        """Return SHAP values and their base, float32 `(n, n_features + 1)`; see the protocol."""
        if not len(X):
            several = (self._outputs,) if self.n_classes or self._outputs > 1 else ()
            check_matrix(X, self.n_features)
            return np.empty((0, *several, self.n_features + 1), dtype=np.float32)
        values = np.asarray(self._explained(X, pred_contribs=True), dtype=np.float32)
        # XGBoost 3.4 leaves a dart model's tree weights out of them, without a word.
        if not np.allclose(values.sum(axis=-1), self._margins(X), rtol=1e-3, atol=1e-3):
            raise UnansweredError(
                f"XGBoost's contributions of this {self.objective.name} model do not add up to its "
                "margin, as those of booster=dart do not in XGBoost 3.4"
            )
        return values

    def leaf(self, X: Matrix) -> NDArray[np.int32]:
        """Return the index of the leaf each row ends in, int32 `(n, trees)`."""
        if not len(X):
            check_matrix(X, self.n_features)
            return np.empty((0, 0), dtype=np.int32)
        found = self._explained(X, pred_leaf=True)
        return np.asarray(found, dtype=np.int32).reshape(len(X), -1)

    def _explained(self, X: Matrix, **kind: bool) -> Matrix:
        """Ask `Booster.predict`, which many threads may do at once where there are trees."""
        import xgboost  # noqa: PLC0415

        check_matrix(X, self.n_features)
        matrix = xgboost.DMatrix(X, missing=np.nan, nthread=self._threads)
        try:
            with self._lock or nullcontext():
                found: Matrix = self._booster.predict(matrix, validate_features=False, **kind)
        except xgboost.core.XGBoostError as error:
            # XGBoost puts the time and its own source line first, a stack trace after.
            cause = next(iter(str(error).split(": ", 2)[-1].splitlines()), "no reason given")
            raise UnansweredError(
                f"XGBoost has no {' and '.join(kind)} of this {self.objective.name} model: {cause}"
            ) from error
        return found

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
