"""The order of a job: its settings, its data, the fit, the gate, the model folder, the report."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from churn_daal import artifact, engine
from churn_daal.artifact import Manifest
from churn_daal.artifact.archive import Earlier, open_earlier
from churn_daal.boosting.fit import Fitted, StoppedError
from churn_daal.boosting.hyperparameters import Hyperparameters, parse
from churn_daal.cluster import AskedToStopError, World, cluster
from churn_daal.contract.failure import describe, write_failure
from churn_daal.contract.job import TrainingJob, read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import ChurnDaalError, UserError
from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.settings import base_dir
from churn_daal.training.cross_validation import CrossValidated, cross_validate
from churn_daal.training.data import Data, read_data
from churn_daal.training.evaluation import Answered, answer_channels, evaluate
from churn_daal.training.fitting import fit_job
from churn_daal.training.quality import gather_quality
from churn_daal.training.saving import Outcome, gate_rows, save_model, write_report

log = logging.getLogger(__name__)


def main(early: Sequence[int] = ()) -> int:
    """Run the job under `/opt/ml` (or `SAGEMAKER_BASE_DIR`); return the process's exit code.

    Rules T11 and T12: 0 for a model, or where the job was stopped before there was one; otherwise
    1, and the cause in the failure file.

    Parameters
    ----------
    early
        Signals that came before this module was loaded, which ask the job to stop; more may be
        added until it has a handler of its own.
    """
    # stdout carries XGBoost's metric lines alone (rule T16).
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    paths = SageMakerPaths(base_dir())
    abandoned = False
    try:
        with StopSignal() as stop:
            if early:
                stop.request()
            abandoned = _run(paths, stop).abandoned
    except (StoppedError, AskedToStopError) as error:
        log.warning("%s", error)
        abandoned = True
    except Exception as error:
        if isinstance(error, ChurnDaalError):
            print(describe(error), file=sys.stderr, flush=True)
        else:
            log.exception("the job failed by a fault of this program or a library under it")
        write_failure(paths, error)
        return 1
    if abandoned:
        # A round still runs in a thread that an ordinary end would wait for, or pull the
        # libraries from under.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


def run(paths: SageMakerPaths, stop: StopSignal) -> None:
    """Train one model and save it, on the first of several hosts.

    Raises
    ------
    UserError
        The settings or the data are at fault; nothing is written to the model folder.
    AlgorithmError
        XGBoost failed.
    StoppedError
        The job was asked to stop before there was a model.
    """
    _run(paths, stop)


def _run(paths: SageMakerPaths, stop: StopSignal) -> Fitted:
    job = read_job(paths)
    hp = parse(job.hyperparameters, job.reserved)
    artifact.check_writable(paths.model)
    for note in hp.notes:
        log.warning(note)
    with cluster(
        job.hosts,
        job.current_host,
        stop=stop,
        on_failure=lambda error: write_failure(paths, error),
    ) as world:
        together = _train(job, hp, stop, world)
    if not world.is_first:
        log.info("the model is written by %s, the first host", world.hosts[0])
        return together.fitted
    data, fitted = together.data, together.fitted
    built = engine.build(fitted.booster, gate_rows(data), seed=hp.seed)
    if built.reason is not None:
        log.warning("XGBoost itself will answer, not oneDAL: %s", built.reason)
    answered = together.answered or answer_channels(built.engine, data, world)
    folds = together.out_of_fold
    evaluation = evaluate(answered, data, hp, None if folds is None else folds.answered)
    outcome = Outcome(job, hp, data, fitted, built, evaluation, folds, together.quality)
    manifest = save_model(paths, outcome)
    _tell(manifest)
    write_report(paths, outcome)
    if folds is not None:
        # The last lines, since SageMaker takes a metric's last value.
        for line in folds.folds.metric_lines(hp.num_round):
            print(line, flush=True)
    return fitted


@dataclass(frozen=True)
class _Together:
    """What the hosts of a job come to together; `answered` is None on one host alone."""

    data: Data
    fitted: Fitted
    out_of_fold: CrossValidated | None
    quality: Mapping[str, ChannelQuality]
    answered: Mapping[str, Answered] | None


def _train(job: TrainingJob, hp: Hyperparameters, stop: StopSignal, world: World) -> _Together:
    # Before anything else: a host that does otherwise makes other calls in another order.
    world.agree("the hyperparameters", dict(job.hyperparameters))
    world.agree("the channels", sorted(job.channels))
    earlier = _earlier(job)
    digest = None if earlier is None else hashlib.sha256(earlier.booster).hexdigest()
    world.agree("the earlier model", digest)
    known = None if earlier is None else earlier.manifest
    data = read_data(job, hp, stop, world=world, known=known)
    if hp.kfold is not None and earlier is not None:
        log.warning(
            "_kfold: the folds are trained without the model of the model channel, which may have "
            "seen their rows; their figures are of models without it, and a threshold chosen on "
            "them too"
        )
    out_of_fold = cross_validate(data, hp, stop, world)
    booster = None if earlier is None else earlier.booster
    fitted = fit_job(data, hp, job, stop, world=world, earlier=booster)
    # A job that was asked to stop has no time for it.
    quality = {} if fitted.stopped else gather_quality(data.quality, world)
    if world.size == 1:
        return _Together(data, fitted, out_of_fold, quality, None)
    # XGBoost answers while the hosts are together; the gate holds oneDAL to the same answers.
    answered = answer_channels(engine.XGBoostEngine(fitted.booster), data, world)
    return _Together(data, fitted, out_of_fold, quality, answered)


def _earlier(job: TrainingJob) -> Earlier | None:
    channel = job.channels.get("model")
    if channel is None:
        return None
    if channel.input_mode == "Pipe":
        raise UserError(
            "channel 'model' uses Pipe mode, which gives a model no file of its own; set its input "
            "mode to File"
        )
    earlier = open_earlier(channel.path)
    log.info("going on from the model in %s", earlier.source)
    return earlier


def _tell(manifest: Manifest) -> None:
    figures = ", ".join(
        f"{name} {value:.4f}"
        for name, value in manifest.metrics.items()
        if isinstance(value, float) and name != "threshold"
    )
    rows = manifest.metrics["rows"]
    log.info("%d held-out rows: %s", rows, figures or "no figures for this objective")
    parity = manifest.parity
    if parity is not None and parity["passed"]:
        log.info(
            "engine onedal: at most %.1e from XGBoost on the %s of %d rows (limit %.0e)",
            *(parity["max_difference"], parity["quantity"], parity["rows"], parity["limit"]),
        )
