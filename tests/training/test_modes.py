"""Channels and input modes: what each means for a job."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact, training
from churn_daal.boosting.hyperparameters import parse
from churn_daal.cluster import World
from churn_daal.contract.job import read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.training.data import read_data

LayJob = Callable[..., SageMakerPaths]
RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 3)).round(3)
Y = (X[:, 0] + 0.5 * RNG.normal(size=300) > 0).astype(int)
HEADER = "y,a,b,c\n"
LINES = [f"{y},{','.join(map(str, row))}\n" for y, row in zip(Y, X.tolist(), strict=True)]
TRAIN, HELD = HEADER + "".join(LINES[:200]), HEADER + "".join(LINES[200:])
HP = {"num_round": 5, "max_depth": 3, "objective": "binary:logistic", "nthread": 1}


def put(paths: SageMakerPaths, channel: str, text: str) -> None:
    """Write a channel's one file."""
    paths.channel(channel).mkdir(parents=True, exist_ok=True)
    (paths.channel(channel) / "rows.csv").write_text(text)


def booster_of(paths: SageMakerPaths) -> xgboost.Booster:
    """Load the model of a job with stock XGBoost."""
    return xgboost.Booster(model_file=bytearray((paths.model / "xgboost-model").read_bytes()))


def output(paths: SageMakerPaths, name: str) -> dict[str, object]:
    """Read a file of output/data."""
    document: dict[str, object] = json.loads((paths.output_data / name).read_text())
    return document


def test_pipes_give_the_model_that_files_give(lay_job: LayJob, tmp_path: Path) -> None:
    """Each FIFO is read once to its end; the model is the same to the bit."""
    expected = lay_job(tmp_path / "file", TRAIN, **HP)
    put(expected, "validation", HELD)
    training.run(expected, StopSignal())
    paths = lay_job(tmp_path / "pipe", **HP)
    mode = {"TrainingInputMode": "Pipe", "ContentType": "text/csv"}
    paths.input_data_config.write_text(json.dumps({"train": mode, "validation": mode}))
    writers = []
    for name, text in (("train", TRAIN), ("validation", HELD)):
        fifo = paths.input_data / f"{name}_0"
        os.mkfifo(fifo)
        writers.append(threading.Thread(target=fifo.write_text, args=(text,), daemon=True))
        writers[-1].start()

    training.run(paths, StopSignal())

    for writer in writers:
        writer.join(10)
    model = "xgboost-model"
    assert (paths.model / model).read_bytes() == (expected.model / model).read_bytes()


def test_a_read_only_mount_is_enough(lay_job: LayJob, tmp_path: Path) -> None:
    """FastFile mounts the channel for reading alone: nothing is written beside the data."""
    paths = lay_job(tmp_path, TRAIN, **HP)
    before = sorted(paths.input_data.rglob("*"))
    paths.channel("train").chmod(0o555)

    training.run(paths, StopSignal())

    assert sorted(paths.input_data.rglob("*")) == before


def test_the_test_channel_is_scored_and_not_learned_from(lay_job: LayJob, tmp_path: Path) -> None:
    """Its figures are in metrics.json; the model is the one without it."""
    plain = lay_job(tmp_path / "plain", TRAIN, **HP)
    training.run(plain, StopSignal())
    paths = lay_job(tmp_path / "test", TRAIN, **HP)
    put(paths, "test", HELD)

    training.run(paths, StopSignal())

    assert output(paths, "metrics.json")["metrics"]["test_rows"] == 100  # type: ignore[index]
    assert (paths.model / "xgboost-model").read_bytes() == (
        plain.model / "xgboost-model"
    ).read_bytes()


def test_the_test_channel_is_no_part_of_a_checkpoint(lay_job: LayJob, tmp_path: Path) -> None:
    """What is only scored at the end does not make an interrupted job start over."""
    paths = lay_job(tmp_path, TRAIN, **HP)
    digests = []
    for channel in ("train", "test", "validation"):
        if channel != "train":
            put(paths, channel, HELD)
        job = read_job(paths)
        hp = parse(job.hyperparameters)
        data = read_data(job, hp, StopSignal(), world=World(("here",), 0))
        digests.append(data.digest)

    assert digests[0] == digests[1] != digests[2]


def test_other_channels_are_named_and_left_alone(
    lay_job: LayJob, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A channel without a meaning here is carried, not refused."""
    paths = lay_job(tmp_path, TRAIN, **HP)
    put(paths, "extra", "anything \x00 at all")
    caplog.set_level("INFO")

    training.run(paths, StopSignal())

    assert "channel 'extra' is carried along and not read" in caplog.text


def test_training_goes_on_from_an_earlier_model(lay_job: LayJob, tmp_path: Path) -> None:
    """The model channel's trees stay in front, its schema and classes hold."""
    first = lay_job(tmp_path / "first", TRAIN, **HP)
    training.run(first, StopSignal())
    paths = lay_job(tmp_path / "second", HEADER + "".join(LINES[100:]), **HP)
    paths.channel("model").mkdir()
    with tarfile.open(paths.channel("model") / "model.tar.gz", "w:gz") as archive:
        archive.add(first.model, arcname=".")

    training.run(paths, StopSignal())

    both, before = booster_of(paths), booster_of(first)
    assert both.num_boosted_rounds() == 10
    evals = output(paths, "evals.json")
    assert (evals["rounds"], evals["earlier_rounds"], evals["best_iteration"]) == (5, 5, 9)
    assert both[:5].get_dump() == before.get_dump()
    assert artifact.audit(paths.model).schema == artifact.audit(first.model).schema
    assert artifact.load(paths.model).answers()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y,a,b\n1,2,3\n0,1,2\n", "the columns are not those of the model in the model channel"),
        (HEADER + "7,1,2,3\n" * 3, "label '7' is outside the train channel's classes"),
        (HEADER + "1,x,2,3\n" * 3, "row 2, column 2 ('a'): 'x' is not a number"),
    ],
)
def test_other_data_does_not_go_on_from_a_model(
    lay_job: LayJob, tmp_path: Path, text: str, message: str
) -> None:
    """Other columns, other classes, other kinds: nothing is written."""
    first = lay_job(tmp_path / "first", TRAIN, **HP)
    training.run(first, StopSignal())
    paths = lay_job(tmp_path / "second", text, **HP)
    shutil.copytree(first.model, paths.channel("model"))

    with pytest.raises(UserError) as caught:
        training.run(paths, StopSignal())

    assert message in str(caught.value)
    assert not (paths.model / "xgboost-model").exists()


def test_a_model_does_not_come_through_a_pipe(lay_job: LayJob, tmp_path: Path) -> None:
    """Asked for at once, and not after a wait for a folder that never comes."""
    paths = lay_job(tmp_path, TRAIN, **HP)
    entry = {"train": {}, "model": {"TrainingInputMode": "Pipe"}}
    paths.input_data_config.write_text(json.dumps(entry))

    with pytest.raises(UserError, match=r"channel 'model' uses Pipe mode.* input mode to File"):
        training.run(paths, StopSignal())


def test_folds_are_scored_on_rows_they_did_not_see(
    lay_job: LayJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A label that is noise is learned by heart and not out of fold: the last lines say so."""
    noise = RNG.integers(0, 2, 300)
    text = HEADER + "".join(
        f"{y},{line.partition(',')[2]}" for y, line in zip(noise, LINES, strict=True)
    )
    paths = lay_job(
        tmp_path, text, **{**HP, "num_round": 20}, _kfold=4, _num_cv_round=2, eval_metric="auc"
    )

    training.run(paths, StopSignal())

    last = capsys.readouterr().out.splitlines()[-1]
    scores = dict(part.rsplit(":", 1) for part in last.split("\t")[1:])
    assert float(scores["train-auc"]) > 0.9
    assert float(scores["validation-auc"]) < 0.65
    metrics = output(paths, "metrics.json")
    assert metrics["channels"]["out_of_fold"]["rows"] == 300  # type: ignore[index]
    predictions = (paths.output_data / "predictions.csv").read_text().splitlines()
    assert len(predictions) == 300
    assert {line.split(",")[0] for line in predictions} == {"0", "1"}


def test_the_threshold_is_chosen_on_held_out_rows(lay_job: LayJob, tmp_path: Path) -> None:
    """By F1 or by cost; the manifest carries it to serving."""
    found = {}
    for rule, given in (("f1", {}), ("cost", {"cost_ratio": 20}), (0.3, {})):
        paths = lay_job(tmp_path / str(rule), TRAIN, **HP, threshold=rule, **given)
        training.run(paths, StopSignal())
        found[rule] = artifact.audit(paths.model).threshold

    assert found[0.3] == 0.3
    assert found["cost"] < found["f1"]


def test_a_small_budget_changes_nothing_but_where_rows_lie(
    lay_job: LayJob, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Over memory_budget_mb columns and quantised rows go to the disk; the model is the same."""
    caplog.set_level("INFO")
    wide = RNG.normal(size=(16_000, 70)).astype(np.float32)
    label = (wide[:, 0] > 0).astype(int)
    text = "".join(
        f"{y},{','.join(map(str, row))}\n" for y, row in zip(label, wide.tolist(), strict=True)
    )
    models = []
    for budget in (1_000, 1):
        paths = lay_job(
            tmp_path / str(budget), text, **HP, memory_budget_mb=budget, header="absent"
        )
        assert "disk" not in caplog.text
        training.run(paths, StopSignal())
        models.append(booster_of(paths).get_dump())

    assert caplog.text.count("disk") == 2
    assert models[0] == models[1]


def test_constraints_count_encoded_columns(lay_job: LayJob, tmp_path: Path) -> None:
    """One sign for each, and no group of columns that are not there."""
    for name, value in (("monotone_constraints", "(1,0)"), ("interaction_constraints", "[[0,3]]")):
        paths = lay_job(tmp_path / name, TRAIN, **HP, **{name: value})
        with pytest.raises(UserError, match=f"{name}.* 3 .*encoded columns"):
            training.run(paths, StopSignal())
