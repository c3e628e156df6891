"""Input modes and channels: read-only mounts, FIFOs, earlier models, channels of others."""

from __future__ import annotations

import json
import os
import pickle
import tarfile
import threading
from pathlib import Path

import pytest

from churn_daal import artifact

from .conftest import Start, Train
from .drive import (
    AS_CALLER,
    CHURN,
    failure_of,
    lay_job,
    model_bytes,
    mount,
    poll,
    stock_booster,
)

pytestmark = pytest.mark.container
HEADER, *LINES = CHURN.read_text(encoding="utf-8").splitlines(keepends=True)
TRAIN = HEADER + "".join(LINES[:1500])
VALIDATION = HEADER + "".join(LINES[1500:2000])
TEST = HEADER + "".join(LINES[2000:2300])
ROUNDS = 8
HP = {"label": "Churn?", "objective": "binary:logistic", "num_round": ROUNDS, "nthread": 1}
# The job runs this only where a hyperparameter says so.
SCRIPT = "raise SystemExit('the code channel was run')\n"


def modes(mode: str, *names: str) -> dict[str, dict[str, str]]:
    """Return channels' entries of inputdataconfig.json."""
    return {name: {"ContentType": "text/csv", "TrainingInputMode": mode} for name in names}


@pytest.fixture(scope="module")
def mounted(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an /opt/ml after a job that could write to /tmp, the model and the output alone.

    It has five channels, and its log lies in `log` beside it.
    """
    opt_ml = lay_job(
        tmp_path_factory.mktemp("mounted") / "ml",
        {
            "train/rows.csv": TRAIN,
            "validation/rows.csv": VALIDATION,
            "test/rows.csv": TEST,
            "code/train.py": SCRIPT,
            "lookup/zones.bin": b"\x00 anything \xff",
        },
        modes("FastFile", "train", "validation", "test", "code", "lookup"),
        **HP,
    )
    done = train(
        opt_ml,
        *mount(opt_ml / "input", "/opt/ml/input", readonly=True),
        *("--read-only", "--tmpfs", "/tmp", "--network", "none"),  # noqa: S108 - in the container
    )
    assert done.returncode == 0, done.stderr
    (opt_ml.parent / "log").write_text(done.stderr)
    return opt_ml


def test_a_test_channel_is_scored_beside_the_validation_channel(mounted: Path) -> None:
    """Fast file mode's mount is read-only, and so may be the container, without any network."""
    output = mounted / "output/data"
    read = json.loads((output / "data_quality.json").read_text())["channels"]
    scored = json.loads((output / "metrics.json").read_text())["metrics"]

    assert read["train"]["rows"] == 1500
    assert scored["validation_rows"] == 500
    assert scored["test_rows"] == 300
    assert scored["test_auc"] > 0.8
    assert artifact.load(mounted / "model").answers()


def test_other_channels_are_named_and_no_code_is_run(mounted: Path) -> None:
    """A channel that means nothing here is no fault; code runs only where the job asks for it."""
    log = (mounted.parent / "log").read_text()

    assert "'lookup'" in log
    assert "the code channel was run" not in log


def test_pipes_give_the_model_that_files_give(train: Train, mounted: Path, tmp_path: Path) -> None:
    """Each FIFO is written once, as SageMaker does it, and read to its end."""
    opt_ml = lay_job(tmp_path / "ml", {}, modes("Pipe", "train", "validation"), **HP)
    writers = []
    for name, text in (("train", TRAIN), ("validation", VALIDATION)):
        fifo = opt_ml / f"input/data/{name}_0"
        os.mkfifo(fifo)
        writers.append(threading.Thread(target=fifo.write_text, args=(text,), daemon=True))
        writers[-1].start()

    done = train(opt_ml)

    assert done.returncode == 0, done.stderr
    for writer in writers:
        writer.join(10)
    assert model_bytes(opt_ml)["xgboost-model"] == model_bytes(mounted)["xgboost-model"]


def test_a_pipe_without_a_byte_is_the_users_to_mend(train: Train, tmp_path: Path) -> None:
    """A prefix that matches no object looks like this."""
    opt_ml = lay_job(tmp_path / "ml", {}, modes("Pipe", "train"), **HP)
    fifo = opt_ml / "input/data/train_0"
    os.mkfifo(fifo)
    threading.Thread(target=fifo.write_bytes, args=(b"",), daemon=True).start()

    failure = failure_of(opt_ml, train(opt_ml))

    assert "train_0: the pipe was closed without a byte in it; check the channel's S3" in failure


def test_sigterm_while_a_pipe_is_read_ends_the_job_well(start: Start, tmp_path: Path) -> None:
    """There is no model yet, and that is no failure of the job's."""
    opt_ml = lay_job(tmp_path / "ml", {}, modes("Pipe", "train"), **HP)
    fifo = opt_ml / "input/data/train_0"
    os.mkfifo(fifo)
    opened = threading.Event()
    ended = threading.Event()

    def write() -> None:
        # Opening waits for a reader: once it is through, the job is reading.
        with fifo.open("w") as stream:
            stream.write(TRAIN)
            stream.flush()
            opened.set()
            ended.wait(60)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    job = start("train", *AS_CALLER, *mount(opt_ml, "/opt/ml"))
    poll(opened.is_set, "the reading of the FIFO", job.logs)

    job.terminate()

    assert job.exit_code() == 0, job.logs()
    ended.set()
    writer.join(10)
    assert "stopped" in job.logs()
    assert not any((opt_ml / "model").iterdir())
    assert not (opt_ml / "output/failure").exists()


def test_training_goes_on_from_the_model_channel(
    train: Train, mounted: Path, tmp_path: Path
) -> None:
    """The earlier trees stay in front, the new ones come from the new rows."""
    opt_ml = lay_job(tmp_path / "ml", {"train/rows.csv": HEADER + "".join(LINES[2300:])}, **HP)
    channel = opt_ml / "input/data/model"
    channel.mkdir()
    with tarfile.open(channel / "model.tar.gz", "w:gz") as archive:
        archive.add(mounted / "model", arcname=".")

    done = train(opt_ml)

    assert done.returncode == 0, done.stderr
    longer, earlier = stock_booster(opt_ml / "model"), stock_booster(mounted / "model")
    assert longer.num_boosted_rounds() == 2 * ROUNDS
    assert longer[:ROUNDS].get_dump() == earlier.get_dump()
    assert artifact.audit(opt_ml / "model").engine.name == "onedal"


def test_a_pickled_model_is_refused_unread(train: Train, tmp_path: Path) -> None:
    """Older images of AWS's save one; loading it would run any code that is in it."""
    opt_ml = lay_job(
        tmp_path / "ml",
        {"train/rows.csv": TRAIN, "model/xgboost-model": pickle.dumps({"a": [1.0]})},
        **HP,
    )

    failure = failure_of(opt_ml, train(opt_ml))

    assert "pickle" in failure
    assert "save_model" in failure
