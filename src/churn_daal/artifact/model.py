"""A loaded model: the schema's encoder in front of the engine that answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from churn_daal import engine as engines
from churn_daal.artifact.folder import ONEDAL, XGBOOST_MODEL, audit
from churn_daal.artifact.manifest import Manifest
from churn_daal.errors import ArtifactError
from churn_daal.tabular.encoder import Encoder, Matrix

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """What answers requests.

    Attributes
    ----------
    manifest
        The audited manifest.
    encoder
        Raw cells to the matrix.
    engine
        The matrix to predictions.
    explainer
        What else there is to say about an encoded row.
    """

    manifest: Manifest
    encoder: Encoder
    engine: engines.Engine
    explainer: engines.Explainer

    def predict(self, X: Matrix) -> Matrix:
        """Predict encoded rows.

        Parameters
        ----------
        X
            float32 (n, schema.width), C-contiguous.

        Returns
        -------
        float32 (n,): probability of the positive class, value, or the class number of
        `binary:hinge`; (n, classes) probabilities for `multi:*`.
        """
        return self.engine.predict(X)

    def answers(self) -> bool:
        """Tell whether a row of missing values gets an answer that is a number.

        Infinity is one: XGBoost, too, answers it where an exponential link overflows.
        """
        row = np.full((1, self.encoder.schema.width), np.nan, dtype=np.float32)
        return not np.isnan(self.predict(row)).any()


def load(model_dir: Path, *, threads: int | None = None) -> Model:
    """Audit a model folder, then build the model.

    The ready oneDAL bytes are used as they are if this oneDAL wrote them; otherwise the
    booster is converted again, through the parity gate.

    Parameters
    ----------
    model_dir
        `/opt/ml/model` in a container.
    threads
        Threads one prediction may use, in either engine; None leaves it to the libraries.
        For oneDAL it is set for the whole process.

    Raises
    ------
    ArtifactError
        The folder fails its audit, or the trees do not fit the manifest.
    """
    manifest = audit(model_dir)
    if threads is not None:
        engines.set_threads(threads)
    engine, as_gated = _engine(model_dir, manifest, threads or 0)
    width = manifest.schema.width
    if engine.n_features != width:
        raise ArtifactError(
            f"the trees read {engine.n_features} columns, the manifest's schema makes {width}; "
            "the files are of two different models, copy the model again"
        )
    explainer = engines.Explainer(
        engine,
        lambda: engines.load_xgboost(model_dir / XGBOOST_MODEL, threads=threads or 0),
        contributions=as_gated and _contributions_passed(manifest),
    )
    return Model(manifest, Encoder(manifest.schema), engine, explainer)


def _contributions_passed(manifest: Manifest) -> bool:
    found = (manifest.parity or {}).get("contributions")
    return isinstance(found, dict) and found.get("passed") is True


def _engine(model_dir: Path, manifest: Manifest, threads: int) -> tuple[engines.Engine, bool]:
    """Return the engine, and whether it is the very one that training's gate saw."""
    booster = model_dir / XGBOOST_MODEL
    if manifest.engine.name == "xgboost":
        return engines.load_xgboost(booster, threads=threads), True
    path = model_dir / ONEDAL
    try:
        engine = engines.load_onedal(
            path.read_bytes(),
            objective=manifest.objective,
            n_features=manifest.schema.width,
            n_classes=manifest.num_class,
        )
    except (FileNotFoundError, engines.OtherVersionError) as error:
        why = f"there is no {ONEDAL}" if isinstance(error, FileNotFoundError) else str(error)
    else:
        return engine, True
    log.warning("converting the booster again: %s Train again to spare this at each start.", why)
    return engines.rebuild(booster), False
