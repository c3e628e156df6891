"""A loaded model: the schema's encoder in front of the engine that answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from churn_daal import engine as engines
from churn_daal.artifact import folder, foreign
from churn_daal.artifact.folder import ONEDAL, XGBOOST_MODEL
from churn_daal.artifact.manifest import Manifest
from churn_daal.artifact.prepared import Member, Prepared, prepare
from churn_daal.artifact.source import Source
from churn_daal.errors import ArtifactError
from churn_daal.tabular.encoder import Encoder, Matrix

if TYPE_CHECKING:
    import xgboost


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
    sources
        The boosters' files; several of an ensemble.
    """

    manifest: Manifest
    encoder: Encoder
    engine: engines.Engine
    explainer: engines.Explainer
    sources: tuple[Source, ...] = ()

    @cached_property
    def booster(self) -> xgboost.Booster:
        """The booster itself, read when it is first asked for; the first of an ensemble's.

        Raises
        ------
        ArtifactError
            Its file was replaced since the model was loaded.
        """
        return self.sources[0].read()

    def predict(self, X: ArrayLike) -> Matrix:
        """Predict encoded rows.

        Parameters
        ----------
        X
            (n, schema.width); NaN is missing. It is used as it is where it is C-contiguous
            float32.

        Returns
        -------
        float32 (n,): probability of the positive class, value, or the class number of
        `binary:hinge`; (n, classes) probabilities for `multi:*`.

        Raises
        ------
        ValueError
            X is of another width.
        """
        return self.engine.predict(np.ascontiguousarray(X, dtype=np.float32))

    def predict_proba(self, X: ArrayLike) -> Matrix:
        """Return float32 (n, classes), the probability of each class.

        Raises
        ------
        ValueError
            X is of another width, or the objective answers no probabilities.
        """
        objective = self.engine.objective
        if objective.link not in {"logit", "softmax"} or not self.manifest.labels.classes:
            raise ValueError(f"a {objective.name} model answers no probabilities; use predict")
        answers = self.predict(X)
        if answers.ndim > 1:
            return answers
        return np.column_stack([1 - answers, answers])

    def answers(self) -> bool:
        """Tell whether a row of missing values gets an answer that is a number.

        Infinity is one: XGBoost, too, answers it where an exponential link overflows.
        """
        row = np.full((1, self.encoder.schema.width), np.nan, dtype=np.float32)
        return not np.isnan(self.predict(row)).any()


def load(
    model_dir: Path | str,
    *,
    threads: int | None = None,
    workers: int = 1,
    ensemble: bool = True,
    prepared: Prepared | None = None,
) -> Model:
    """Audit a model folder, then build the model.

    The ready oneDAL bytes are used as they are if this oneDAL wrote them; otherwise, and for a
    booster from elsewhere, it is converted here, through the parity gate.

    Parameters
    ----------
    model_dir
        `/opt/ml/model` in a container.
    threads
        Threads one prediction may use; None leaves it to the libraries. For oneDAL it is set for
        the whole process.
    workers
        Processes that predict on the same cores. XGBoost's threads wait for each other by
        spinning, so that each process takes its share of `threads`; oneDAL's do not.
    ensemble
        Whether several boosters from elsewhere answer together.
    prepared
        What `prepare` made of the folder, to spare its work here.

    Raises
    ------
    ArtifactError
        The folder fails its audit, or the trees do not fit the manifest.
    UserError
        The objective is unknown to this release.
    """
    model_dir = Path(model_dir)
    if prepared is None:
        known = not foreign.is_foreign(model_dir)
        # Of its own folder the bytes are tried as they are, and only then read for what is wrong.
        prepared = (
            Prepared(folder.audit(model_dir)) if known else prepare(model_dir, ensemble=ensemble)
        )
    if threads is not None:
        engines.set_threads(threads)
    share = 0 if threads is None else max(1, threads // workers)
    manifest = prepared.manifest
    paths = [member.booster for member in prepared.members] or [model_dir / XGBOOST_MODEL]
    sources = tuple(Source.of(path, manifest) for path in paths)
    gated = False
    if prepared.members:
        built = [_built(member, manifest, share) for member in prepared.members]
        engine = built[0] if len(built) == 1 else engines.EnsembleEngine(built)
    else:
        engine, gated = _stored(model_dir, manifest, share)
    width = manifest.schema.width
    if engine.n_features != width:
        raise ArtifactError(
            f"the trees read {engine.n_features} columns, the manifest's schema makes {width}; "
            "the files are of two different models, copy the model again"
        )
    explainer = engines.Explainer(
        engine,
        None if len(sources) > 1 else lambda: _native(sources[0], share),
        contributions=gated and _contributions_passed(manifest),
    )
    return Model(manifest, Encoder(manifest.schema), engine, explainer, sources)


def _contributions_passed(manifest: Manifest) -> bool:
    found = (manifest.parity or {}).get("contributions")
    return isinstance(found, dict) and found.get("passed") is True


def _stored(model_dir: Path, manifest: Manifest, threads: int) -> tuple[engines.Engine, bool]:
    """Build from the folder's own files; tell whether training's gate saw this very engine."""
    booster, path = model_dir / XGBOOST_MODEL, model_dir / ONEDAL
    if manifest.engine.name == "xgboost":
        return engines.load_xgboost(booster, threads=threads), True
    try:
        return _built(Member(booster, path.read_bytes()), manifest, threads), True
    except (FileNotFoundError, engines.OtherVersionError):
        [member] = prepare(model_dir).members
    return _built(member, manifest, threads), False


def _native(source: Source, threads: int) -> engines.XGBoostEngine:
    return engines.XGBoostEngine(source.read(), threads=threads)


def _built(member: Member, manifest: Manifest, threads: int) -> engines.Engine:
    if member.onedal is None:
        return engines.XGBoostEngine(foreign.read_foreign(member.booster), threads=threads)
    return engines.load_onedal(
        member.onedal,
        objective=manifest.objective,
        n_features=manifest.schema.width,
        n_classes=manifest.num_class,
    )
