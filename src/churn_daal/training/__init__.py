"""One training job: SageMaker's files in, a model folder out."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from churn_daal import __version__, artifact, engine
from churn_daal.artifact import EngineChoice, Manifest
from churn_daal.boosting.dataset import ArrayFeatures, Dataset
from churn_daal.boosting.fit import Fitted, fit
from churn_daal.boosting.hyperparameters import Hyperparameters, parse
from churn_daal.boosting.metrics import held_out_metrics
from churn_daal.boosting.split import split_rows
from churn_daal.contract.failure import describe, write_failure
from churn_daal.contract.job import Channel, TrainingJob, read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import ChurnDaalError, UserError
from churn_daal.settings import base_dir
from churn_daal.tabular.csv_channel import channel_files, read_csv
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.learn import encode, learn_schema
from churn_daal.tabular.roles import RoleNames, resolve
from churn_daal.tabular.schema import Schema
from churn_daal.tabular.table import Table, align
from churn_daal.tabular.target import Task, encode_target, learn_target, read_weights

log = logging.getLogger(__name__)
CSV_TYPES = frozenset({None, "text/csv", "csv"})
DEFAULT_OBJECTIVES: dict[Task, str] = {
    "binary": "binary:logistic",
    "multiclass": "multi:softprob",
    "regression": "reg:squarederror",
}


@dataclass(frozen=True)
class Data:
    """What the channels gave: encoded rows to fit and to hold out, and what they mean."""

    train: Dataset
    held_out: Dataset
    schema: Schema
    labels: Labels
    objective: str


def main(early: Sequence[int] = ()) -> int:
    """Run the job under `/opt/ml` (or `SAGEMAKER_BASE_DIR`); return the process's exit code.

    Rules T11 and T12: 0 for a model; otherwise 1, and the cause in the failure file.

    Parameters
    ----------
    early
        Signals that came before this module was loaded, which ask the job to stop; more may be
        added until it has a handler of its own.
    """
    # stdout carries XGBoost's metric lines alone (rule T16).
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    paths = SageMakerPaths(base_dir())
    try:
        with StopSignal() as stop:
            if early:
                stop.request()
            run(paths, stop)
    except Exception as error:
        if isinstance(error, ChurnDaalError):
            print(describe(error), file=sys.stderr, flush=True)
        else:
            log.exception("the job failed by a fault of this program or a library under it")
        write_failure(paths, error)
        return 1
    return 0


def run(paths: SageMakerPaths, stop: StopSignal) -> Manifest:
    """Train one model and save it.

    Raises
    ------
    UserError
        The settings or the data are at fault; nothing is written to the model folder.
    AlgorithmError
        XGBoost failed.
    """
    job = read_job(paths)
    hp = parse(job.hyperparameters)
    artifact.check_writable(paths.model)
    for note in hp.notes:
        log.warning(note)
    data = _read(job, hp)
    fitted = _fit(data, hp, stop)
    manifest = _save(paths, data, hp, job, fitted)
    _report(manifest, data)
    return manifest


def _read(job: TrainingJob, hp: Hyperparameters) -> Data:
    table = _table(job, "train", hp)
    names = RoleNames(
        label=hp.label,
        weight=hp.weight,
        id_columns=hp.id_columns,
        drop_columns=hp.drop_columns,
        categorical_columns=hp.categorical_columns,
        category_encoding=cast("Any", hp.category_encoding),
        max_onehot_categories=hp.max_onehot_categories,
    )
    roles = resolve(names, table)
    target = learn_target(
        table,
        roles.label,
        task=engine.objective_named(hp.objective).task if hp.objective else None,
        num_class=hp.num_class,
        positive_label=hp.positive_label,
    )
    objective = hp.objective or DEFAULT_OBJECTIVES[target.task]
    schema = learn_schema(table, roles)

    def dataset(rows: Table, y: Any) -> Dataset:  # noqa: ANN401 - a numpy vector
        encoded = encode(rows, schema, roles)
        for column, count in encoded.unseen.items():
            log.warning(
                "column %r: %d cells hold a category not in the train channel", column, count
            )
        weight = None if roles.weight is None else read_weights(rows, roles.weight)
        return Dataset(ArrayFeatures(encoded.X), y, weight)

    train = dataset(table, target.y)
    if "validation" in job.channels:
        other = align(_table(job, "validation", hp, known=table.names), table)
        y = encode_target(other, roles.label, task=target.task, labels=target.labels)
        return Data(train, dataset(other, y), schema, target.labels, objective)
    kept, held = split_rows(
        # Labels that are shares count as the class they are nearer to.
        (train.y >= 0.5).astype(train.y.dtype) if target.task == "binary" else train.y,
        fraction=hp.validation_fraction,
        seed=hp.seed,
        stratify=target.task in {"binary", "multiclass"},
    )
    log.info("no validation channel: %d of %d rows are held out", len(held), len(train))
    return Data(train.take(kept), train.take(held), schema, target.labels, objective)


def _table(
    job: TrainingJob, name: str, hp: Hyperparameters, known: tuple[str, ...] | None = None
) -> Table:
    channel = job.channels.get(name)
    if channel is None:
        have = ", ".join(job.channels) or "none"
        raise UserError(f"the job has no {name!r} channel (it has: {have}); add it to the inputs")
    if channel.content_type not in CSV_TYPES:
        raise UserError(
            f"channel {name!r} has ContentType {channel.content_type!r}; this release reads "
            "text/csv. Convert the data, or set the type if it is CSV"
        )
    return read_csv(
        channel_files(channel.path),
        header=cast("Any", _header(channel, hp)),
        delimiter=hp.delimiter,
        known=known,
    )


def _header(channel: Channel, hp: Hyperparameters) -> str:
    """Take `text/csv; header=present` where the hyperparameter leaves it open (RFC 4180)."""
    declared = channel.parameters.get("header", "auto").lower()
    return declared if hp.header == "auto" and declared in {"present", "absent"} else hp.header


def _fit(data: Data, hp: Hyperparameters, stop: StopSignal) -> Fitted:
    classes = len(data.labels.classes) if data.objective.startswith("multi:") else None
    log.info(
        "fitting %s on %d rows x %d columns, %d rows held out",
        *(data.objective, len(data.train), data.schema.width, len(data.held_out)),
    )
    start = time.monotonic()
    fitted = fit(
        data.train, data.held_out, hp, objective=data.objective, num_class=classes, stop=stop
    )
    why = "stopped by a signal" if fitted.stopped else f"best round {fitted.best_iteration}"
    log.info("fitted in %.1f s, %s", time.monotonic() - start, why)
    return fitted


def _save(
    paths: SageMakerPaths, data: Data, hp: Hyperparameters, job: TrainingJob, fitted: Fitted
) -> Manifest:
    built = engine.build(fitted.booster, data.held_out.X, seed=hp.seed)
    if built.reason is not None:
        log.warning("XGBoost itself will answer, not oneDAL: %s", built.reason)
    response = built.engine.predict(data.held_out.X)
    manifest = Manifest(
        schema=data.schema,
        labels=data.labels,
        objective=data.objective,
        num_class=len(data.labels.classes) if data.objective.startswith("multi:") else 0,
        threshold=hp.threshold,
        engine=EngineChoice(cast("Any", built.engine.name), built.reason),
        parity=None if built.parity is None else built.parity.to_json(),
        metrics=held_out_metrics(
            data.objective, data.held_out.y, response, data.held_out.weight, threshold=hp.threshold
        ),
        versions={"churn_daal": __version__, **engine.engine_versions()},
        hyperparameters=dict(job.hyperparameters),
    )
    booster = bytes(fitted.booster.save_raw("ubj"))
    return artifact.save(paths.model, manifest, xgboost=booster, onedal=built.onedal)


def _report(manifest: Manifest, data: Data) -> None:
    figures = ", ".join(
        f"{name} {value:.4f}"
        for name, value in manifest.metrics.items()
        if isinstance(value, float) and name != "threshold"
    )
    log.info("%d held-out rows: %s", len(data.held_out), figures or "no figures for this objective")
    parity = manifest.parity
    if parity is not None and parity["passed"]:
        log.info(
            "engine onedal: at most %.1e from XGBoost on the %s of %d rows (limit %.0e)",
            *(parity["max_difference"], parity["quantity"], parity["rows"], parity["limit"]),
        )
