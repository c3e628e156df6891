"""Writes the model folder, and beside it what the job found out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from churn_daal import __version__, artifact, engine, report
from churn_daal.artifact import EngineChoice, Manifest
from churn_daal.artifact.statistics import ColumnStatistics, Statistics
from churn_daal.boosting.fit import Fitted
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.contract.job import TrainingJob
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.report.contributions import sample_rows
from churn_daal.report.metrics_document import Figures
from churn_daal.report.predictions import Predictions
from churn_daal.training.cross_validation import CrossValidated
from churn_daal.training.data import Data
from churn_daal.training.evaluation import Evaluation

log = logging.getLogger(__name__)
# The gate compares some thousand of them.
_GATE_ROWS: Final = 10_000
# The gate holds them some 18 times over.
_GATE_CELLS: Final = 1 << 22


@dataclass(frozen=True)
class Outcome:
    """All that a job came to.

    Attributes
    ----------
    job, hp, data
        What was asked for.
    fitted
        The booster.
    built
        The engine that will serve it.
    evaluation
        What it is worth.
    out_of_fold
        What cross-validation showed; None without.
    quality
        What there is to tell of each channel's columns; empty after a request to stop.
    """

    job: TrainingJob
    hp: Hyperparameters
    data: Data
    fitted: Fitted
    built: engine.Built
    evaluation: Evaluation
    out_of_fold: CrossValidated | None
    quality: Mapping[str, ChannelQuality]


def save_model(paths: SageMakerPaths, outcome: Outcome) -> Manifest:
    """Write the model folder.

    Raises
    ------
    UserError
        The folder cannot be written to, or the disk is full; nothing of the model stays.
    """
    data, built, evaluation = outcome.data, outcome.built, outcome.evaluation
    threshold = evaluation.threshold
    manifest = Manifest(
        schema=data.schema,
        labels=data.labels,
        objective=data.objective,
        num_class=data.num_class or 0,
        threshold=0.5 if threshold is None else threshold.value,
        engine=EngineChoice(cast("Any", built.engine.name), built.reason),
        parity=None if built.parity is None else built.parity.to_json(),
        metrics=evaluation.metrics,
        versions={"churn_daal": __version__, **engine.engine_versions()},
        hyperparameters=dict(outcome.job.hyperparameters),
        statistics=_statistics(outcome.quality.get("train")),
    )
    booster = bytes(outcome.fitted.booster.save_raw("ubj"))
    return artifact.save(paths.model, manifest, xgboost=booster, onedal=built.onedal)


def _statistics(quality: ChannelQuality | None) -> Statistics:
    """Return what serving compares requests with; nothing where there was no time to look."""
    if quality is None or not quality.rows:
        return Statistics()
    found = {}
    for column in quality.columns:
        moments = column.moments
        known = column.kind == "number" and moments.count > 0
        bounds = (moments.low, moments.high) if known else (None, None)
        found[column.name] = ColumnStatistics(column.missing / quality.rows, *bounds)
    return Statistics(found)


def write_report(paths: SageMakerPaths, outcome: Outcome) -> None:
    """Write the files of /opt/ml/output/data (docs/output.md); whatever goes wrong is logged."""
    try:
        report.write(paths.output_data, _report(outcome))
    except Exception:
        # The model is what the job ran hours for: no fault of a report may cost it.
        log.exception("no report is written, by a fault of this program; the model is whole")


def _report(outcome: Outcome) -> report.Report:
    data, fitted, evaluation = outcome.data, outcome.fitted, outcome.evaluation
    built, hp = outcome.built, outcome.hp
    figures = Figures(
        channels=_channels(evaluation, outcome.out_of_fold),
        objective=data.objective,
        classes=data.labels.classes,
        engine=built.engine.name,
        engine_reason=built.reason,
        parity=None if built.parity is None else built.parity.to_json(),
        best_iteration=fitted.best_iteration,
        earlier_rounds=fitted.earlier_rounds,
        stopped=fitted.stopped,
        threshold=evaluation.threshold,
        calibration=evaluation.calibration,
    )
    rows = sample_rows(len(data.held_out), data.schema.width, seed=hp.seed)
    # A job that was asked to stop has no time for SHAP values.
    explained = data.held_out.take(rows[:0] if fitted.stopped else rows)
    return report.Report(
        figures=figures,
        history=fitted.history,
        booster=fitted.booster,
        schema=data.schema,
        explained=explained.X,
        quality=outcome.quality or None,
        out_of_fold=_predictions(outcome),
        threads=hp.nthread or 0,
    )


def _predictions(outcome: Outcome) -> Predictions | None:
    if outcome.out_of_fold is None:
        return None
    data, threshold = outcome.data, outcome.evaluation.threshold
    rows = outcome.out_of_fold.answered
    return Predictions(
        engine.objective_named(data.objective),
        rows.y,
        rows.response,
        data.labels.classes,
        0.5 if threshold is None else threshold.value,
    )


def _channels(
    evaluation: Evaluation, out_of_fold: CrossValidated | None
) -> Mapping[str, Mapping[str, Any]]:
    channels = {name: dict(figures) for name, figures in evaluation.channels.items()}
    if out_of_fold is not None:
        channels["out_of_fold"]["folds"] = out_of_fold.folds.figures()
    return channels


def gate_rows(data: Data) -> NDArray[np.float32]:
    """Return the held-out rows that the parity gate compares on: float32 (n, d)."""
    most = max(1, min(_GATE_ROWS, _GATE_CELLS // data.schema.width))
    return data.held_out.take(np.arange(min(len(data.held_out), most))).X
