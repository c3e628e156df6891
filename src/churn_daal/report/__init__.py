"""What a training job leaves beside its model, in /opt/ml/output/data (docs/output.md).

Nothing here is worth a model: whatever goes wrong is a warning in the log, and the job goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import xgboost

from churn_daal.report import model_monitor
from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.report.contributions import Matrix
from churn_daal.report.data_quality import describe_data
from churn_daal.report.files import write_csv, write_json
from churn_daal.report.importance import SCORE_FIELDS, Importance, Score, score_columns
from churn_daal.report.metrics_document import Figures, describe_history, describe_metrics
from churn_daal.report.predictions import Predictions
from churn_daal.tabular.schema import Schema

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """All that is known at the end of a job.

    Attributes
    ----------
    figures
        The figures of each set of rows, and what the model is.
    history
        Scores by data set and metric, one a round.
    booster, schema
        The model, and what its columns are.
    explained
        float32 (n, schema.width), the held-out rows that `contributions.sample_rows` chose.
    quality
        Of each channel, by name; None where it was not gathered.
    out_of_fold
        Answers of cross-validation; None without.
    threads
        For the SHAP values; 0 for XGBoost's own choice.
    """

    figures: Figures
    history: Mapping[str, Mapping[str, list[float]]]
    booster: xgboost.Booster
    schema: Schema
    explained: Matrix
    quality: Mapping[str, ChannelQuality] | None = None
    out_of_fold: Predictions | None = None
    threads: int = 0


def write(folder: Path, report: Report) -> tuple[str, ...]:
    """Write every file that there is something for.

    Parameters
    ----------
    folder
        Made if it is not there. Files of these names that are there are replaced.
    report
        What to write.

    Returns
    -------
    The names of the files written. One that cannot be written, on a full disk for instance, is
    left out with a warning; nothing is raised.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning(
            "no report is written, since %s cannot be made: %s; the model is whole. Mount a "
            "folder there that this user may write to",
            *(folder, error.strerror),
        )
        return ()
    writers: dict[str, Callable[[Path], None]] = {
        "metrics.json": lambda path: write_json(path, describe_metrics(report.figures)),
        # One line: laid out, a job of thousands of rounds has a line for each score.
        "evals.json": lambda path: write_json(
            path,
            describe_history(
                report.history, report.figures.best_iteration, report.figures.earlier_rounds
            ),
            indent=False,
        ),
    }
    if report.figures.calibration is not None:
        writers["calibration.json"] = partial(write_json, document=report.figures.calibration)
    if report.out_of_fold is not None:
        writers["predictions.csv"] = partial(write_csv, rows=report.out_of_fold.rows())
    if report.quality is not None:
        writers |= _quality_writers(report.quality, report.schema)
    writers |= _importance_writers(report)
    written = tuple(name for name, writer in writers.items() if _tried(folder / name, writer))
    log.info("%s: %s", folder, ", ".join(written) or "nothing was written")
    return written


def _quality_writers(
    quality: Mapping[str, ChannelQuality], schema: Schema
) -> dict[str, Callable[[Path], None]]:
    def data_quality(path: Path) -> None:
        document = describe_data(quality, schema.columns)
        for warning in document["warnings"]:
            log.warning("%s", warning)
        write_json(path, document)

    return {
        "data_quality.json": data_quality,
        # The sketches are long lists of numbers: a line for each would be most of the file.
        "statistics.json": lambda path: write_json(
            path, model_monitor.statistics(quality["train"]), indent=False
        ),
        "constraints.json": lambda path: write_json(
            path, model_monitor.constraints(quality["train"])
        ),
    }


def _importance_writers(report: Report) -> dict[str, Callable[[Path], None]]:
    made: list[Importance] = []

    def scores() -> Importance:
        # Once for the three files, and inside the net that keeps a fault from ending the job.
        if not made:
            made.append(
                score_columns(
                    report.booster, report.explained, report.schema, threads=report.threads
                )
            )
        return made[0]

    return {
        "feature_importance.json": lambda path: write_json(path, scores().to_json()),
        "feature_importance.csv": lambda path: _write_scores(path, scores().columns),
        "feature_importance_encoded.csv": lambda path: _write_scores(path, scores().encoded),
    }


def _write_scores(path: Path, scores: tuple[Score, ...]) -> None:
    rows = ([getattr(score, name) for name in SCORE_FIELDS] for score in scores)
    write_csv(path, rows, header=SCORE_FIELDS)


def _tried(path: Path, writer: Callable[[Path], None]) -> bool:
    try:
        writer(path)
    except OSError as error:
        log.warning("%s is not written: %s; the model is whole", path, error.strerror)
        return False
    except Exception:
        # The model is what the job ran hours for: no fault of a report may cost it.
        log.exception("%s is not written, by a fault of this program; the model is whole", path)
        return False
    return True
