"""`churn_daal.save`: a booster the user trained becomes a model as `train` writes it.

The same conversion, the same gate, the same manifest: `serve` cannot tell the two apart.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, cast

import numpy as np
import xgboost
from numpy.typing import ArrayLike, NDArray

from churn_daal import __version__, artifact, engine
from churn_daal.artifact import EngineChoice, Manifest
from churn_daal.artifact.statistics import Statistics
from churn_daal.boosting.metrics import held_out_metrics
from churn_daal.engine.anatomy import Anatomy, read_anatomy, read_config
from churn_daal.errors import UserError
from churn_daal.held_out import as_matrix, as_targets, names_of
from churn_daal.settings import base_dir
from churn_daal.tabular.labels import Class, Labels
from churn_daal.tabular.schema import Column, Schema

log = logging.getLogger(__name__)


def save(
    booster: xgboost.Booster | xgboost.XGBModel,
    model_dir: str | Path | None = None,
    *,
    X: object = None,
    y: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    train_X: object = None,
    feature_names: Sequence[str] | None = None,
    label: str | None = None,
    classes: Sequence[Class] | None = None,
    threshold: float = 0.5,
    hyperparameters: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Manifest:
    """Convert a trained booster to oneDAL, hold the two together and write the model folder.

    Where oneDAL cannot hold the booster or does not answer alike, XGBoost itself will serve it;
    the manifest says which, and why. A booster with a `best_iteration`, as early stopping leaves
    it, is cut to it first, as `XGBModel.predict` does. Every feature is a column of numbers for
    the server; a categorical feature's cells are its codes.

    Parameters
    ----------
    booster
        An `xgboost.Booster`, or a fitted model of XGBoost's scikit-learn interface. Not altered.
    model_dir
        Where to write; by default `/opt/ml/model`, or `model` under `SAGEMAKER_BASE_DIR`.
    X
        Held-out rows `(n, features)` for the gate: a numpy array, a pandas frame or an Arrow
        table; NaN where a value is missing. A frame's columns are put in order by their names.
        Without rows the gate compares on rows it makes from the booster's own splits.
    y, weight
        Labels and weights `(n,)` of those rows, for the manifest's metrics. Labels as the booster
        was trained on them: class numbers for classification.
    train_X
        The rows the booster was trained on, as X: their ranges go into the manifest, and the
        server counts requests that leave them. Without them it does not look.
    feature_names
        By default the booster's own, else those of X, else `f0`, `f1`, ...
    label
        The label's name, a column that requests may carry and the server passes over.
    classes
        What the class numbers stand for, in their order; for a binary objective (negative,
        positive). By default the numbers themselves.
    threshold
        Probability from which a binary answer is the positive class; between 0 and 1.
    hyperparameters
        For the record in the manifest, as text.
    seed
        Of the gate's choice of rows.

    Returns
    -------
    The manifest as written.

    Raises
    ------
    UserError
        No booster, one that is not trained, rows or classes that do not fit it, or a folder
        that cannot be written to. Nothing is written then.
    """
    trained = _booster(booster)
    anatomy = read_anatomy(read_config(trained))
    names = _names(trained, anatomy, feature_names, X)
    labels = Labels(label, _classes(anatomy, classes))
    if label in names:
        raise UserError(f"label {label!r} is a feature's name too; give one of them another")
    if not (isinstance(threshold, float | int | np.floating) and 0 < threshold < 1):
        raise UserError(f"threshold is {threshold!r}; expected a number between 0 and 1")
    rows = as_matrix(X, names)
    statistics = Statistics.of_rows(as_matrix(train_X, names, what="train_X"), names)
    truth = as_targets(y, len(rows), "y", classes=len(labels.classes))
    weights = as_targets(weight, len(rows), "weight")
    folder = base_dir() / "model" if model_dir is None else Path(model_dir)
    artifact.check_writable(folder)
    built = engine.build(trained, rows, seed=seed)
    manifest = Manifest(
        schema=Schema(tuple(Column(name, "number") for name in names), (label,) if label else ()),
        labels=labels,
        objective=anatomy.objective,
        num_class=anatomy.n_classes,
        threshold=float(threshold),
        engine=EngineChoice(cast("Any", built.engine.name), built.reason),
        parity=None if built.parity is None else built.parity.to_json(),
        metrics=_metrics(built.engine, rows, truth, weights, threshold),
        versions={"churn_daal": __version__, **engine.engine_versions()},
        hyperparameters={str(k): str(v) for k, v in (hyperparameters or {}).items()},
        statistics=statistics,
    )
    written = artifact.save(
        folder, manifest, xgboost=bytes(trained.save_raw("ubj")), onedal=built.onedal
    )
    _tell(written, folder)
    return written


def _booster(model: object) -> xgboost.Booster:
    if isinstance(model, xgboost.XGBModel):
        if not model.__sklearn_is_fitted__():
            raise UserError(f"the {type(model).__name__} is not fitted; call fit before save")
        if not (model.missing is None or np.isnan(model.missing)):
            raise UserError(
                f"the {type(model).__name__} was made with missing={model.missing!r}; the server "
                "reads NaN, null and empty cells as missing. Train with NaN there"
            )
        model = model.get_booster()
    if not isinstance(model, xgboost.Booster):
        raise UserError(
            f"booster is a {type(model).__module__}.{type(model).__name__}; expected an "
            "xgboost.Booster or a fitted model of XGBoost's scikit-learn interface"
        )
    try:
        rounds = model.num_boosted_rounds()
    except xgboost.core.XGBoostError:
        rounds = 0
    if not rounds:
        raise UserError("the booster has no rounds; train it, or load a model, before save")
    return engine.to_best_round(model)


def _names(
    booster: xgboost.Booster, anatomy: Anatomy, given: Sequence[str] | None, X: object
) -> tuple[str, ...]:
    width = anatomy.n_features
    known = given or booster.feature_names or names_of(X) or [f"f{i}" for i in range(width)]
    names = tuple(map(str, known))
    if len(names) != width:
        what = "feature_names has" if given else "X has"
        raise UserError(f"{what} {len(names)} names; the booster was trained on {width} features")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"the feature name {twice[0]!r} comes twice; a request names each once")
    codes = [n for n, kind in zip(names, booster.feature_types or (), strict=False) if kind == "c"]
    if codes:
        log.warning("categorical features %s: requests have to send their codes", ", ".join(codes))
    return names


def _classes(anatomy: Anatomy, given: Sequence[Class] | None) -> tuple[Class, ...]:
    kind = anatomy.objective.partition(":")[0]
    count = {"binary": 2, "multi": anatomy.n_classes}.get(kind, 0)
    if given is None:
        return tuple(range(count))
    # A numpy array's values are not JSON's.
    classes = tuple(c.item() if isinstance(c, np.generic) else c for c in given)
    if len(classes) != count:
        expected = f"{count}" if count else "none, as its answers are numbers"
        raise UserError(
            f"classes has {len(classes)} values {list(classes)!r:.80}; {anatomy.objective} has "
            f"{expected}"
        )
    known = all(isinstance(c, str | int) or (isinstance(c, float) and isfinite(c)) for c in classes)
    if len(set(classes)) < count or not known:
        raise UserError(
            f"classes are {list(classes)!r:.80}; expected {count} different texts or finite numbers"
        )
    return classes


def _metrics(
    model: engine.Engine,
    rows: NDArray[np.float32],
    y: NDArray[np.float32] | None,
    weight: NDArray[np.float32] | None,
    threshold: float,
) -> dict[str, Any]:
    if y is None or not len(rows):
        return {}
    response = model.predict(rows)
    if response.ndim == 2 and not model.n_classes:
        log.info("no metrics: the booster has several outputs a row")
        return {}
    return held_out_metrics(model.objective.name, y, response, weight, threshold=threshold)


def _tell(manifest: Manifest, folder: Path) -> None:
    if manifest.engine.reason is not None:
        log.warning("XGBoost itself will answer, not oneDAL: %s", manifest.engine.reason)
    log.info("saved to %s, engine %s", folder, manifest.engine.name)
