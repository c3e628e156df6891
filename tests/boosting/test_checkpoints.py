"""The checkpoint folder: whole files, the newest few, nobody else's touched."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import xgboost

from churn_daal.boosting.checkpoints import CheckpointFolder, Checkpoints
from churn_daal.boosting.progress import STATE, Progress, freeze, read_progress
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

from .runs import HELD, run, saved


def names(folder: Path) -> list[str]:
    """Return the files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def numbers(folder: Path) -> list[int]:
    """Return the rounds of a folder's checkpoints."""
    return sorted(int(path.suffix[1:]) for path in folder.glob("xgboost-checkpoint.*"))


def test_every_so_many_rounds_and_the_last(tmp_path: Path) -> None:
    """The files have the names AWS's loader looks for (defect X1), and its round's number."""
    run({"num_round": "23"}, checkpoints=Checkpoints(tmp_path / "new" / "folder", kept=9))

    assert names(tmp_path / "new" / "folder") == [
        *("xgboost-checkpoint.19", "xgboost-checkpoint.22", "xgboost-checkpoint.9")
    ]


def test_every_so_many_seconds(tmp_path: Path) -> None:
    """Where rounds are slow, the time since the last one decides."""
    run(checkpoints=Checkpoints(tmp_path, rounds=1000, seconds=1e-9, kept=99))

    assert numbers(tmp_path) == [0, 1, 2, 3, 4]


def test_the_interval_grows_with_the_model() -> None:
    """Of many rounds, at most a fiftieth is done again after a kill."""
    checkpoints = Checkpoints(Path("unused"), rounds=10)

    assert checkpoints.is_due(done=400, since=10, elapsed=0)
    assert not checkpoints.is_due(done=5000, since=99, elapsed=59)
    assert checkpoints.is_due(done=5000, since=100, elapsed=0)
    assert checkpoints.is_due(done=5000, since=1, elapsed=60)


def test_the_newest_stay(tmp_path: Path) -> None:
    """Older ones go as new ones come, those of the run before the kill too."""
    run(checkpoints=Checkpoints(tmp_path, rounds=1, kept=3))
    assert numbers(tmp_path) == [2, 3, 4]

    run({"num_round": "7"}, checkpoints=Checkpoints(tmp_path, rounds=1, kept=3))

    assert numbers(tmp_path) == [4, 5, 6]


def test_a_file_that_is_uploading_stays(tmp_path: Path) -> None:
    """SageMaker's markers are heeded and left alone; the file goes once its upload is over."""
    uploading = tmp_path / "xgboost-checkpoint.0.sagemaker-uploading"
    uploading.touch()
    (tmp_path / "xgboost-checkpoint.1.sagemaker-uploaded").touch()
    run(checkpoints=Checkpoints(tmp_path, rounds=1, kept=1))

    assert [n for n in names(tmp_path) if "uploaded" not in n] == [
        *("xgboost-checkpoint.0", "xgboost-checkpoint.0.sagemaker-uploading"),
        "xgboost-checkpoint.4",
    ]
    uploading.unlink()
    run({"num_round": "6"}, checkpoints=Checkpoints(tmp_path, rounds=1, kept=1))
    assert names(tmp_path) == [*("xgboost-checkpoint.1.sagemaker-uploaded", "xgboost-checkpoint.5")]


def test_xgboost_loads_a_checkpoint(tmp_path: Path) -> None:
    """The file is a model in UBJ that answers as the run's own does after that round."""
    run({"num_round": "8"}, checkpoints=Checkpoints(tmp_path, rounds=5))
    data = (tmp_path / "xgboost-checkpoint.4").read_bytes()
    booster = xgboost.Booster(model_file=bytearray(data))

    after_five = run({"num_round": "5"}).booster
    rows = xgboost.DMatrix(HELD.X)
    assert (booster.predict(rows) == after_five.predict(rows)).all()


def test_what_is_damaged_or_foreign_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest whole checkpoint is taken; each other file is named with its fault, and kept."""
    run({"num_round": "4"}, checkpoints=Checkpoints(tmp_path, rounds=1, kept=9))
    whole = (tmp_path / "xgboost-checkpoint.3").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    contents = {
        "xgboost-checkpoint.3": bytes(flipped),
        "xgboost-checkpoint.4": whole[: len(whole) // 2],
        "xgboost-checkpoint.5": b"",
        "xgboost-checkpoint.6": saved(run()),
        "xgboost-checkpoint.7": whole,
        "xgboost-checkpoint_0.ubj": b"AWS's",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "xgboost-checkpoint.9").mkdir()
    (tmp_path / "xgboost-checkpoint.8.sagemaker-ignore").write_bytes(b"begun")
    lines: list[str] = []

    with caplog.at_level(logging.WARNING):
        fitted = run({"num_round": "5"}, checkpoints=Checkpoints(tmp_path), write=lines.append)

    for number, fault in (
        (3, "it is half-written or damaged"),
        (4, "it is half-written or damaged"),
        (5, "it is half-written or another program's"),
        (6, "it is half-written or another program's"),
        (7, "its name says round 7, it holds 4 rounds"),
    ):
        assert f"xgboost-checkpoint.{number} is passed over: {fault}" in caplog.text
    assert "is left alone: xgboost-checkpoint.9, xgboost-checkpoint_0.ubj" in caplog.text
    assert [line.split("\t")[0] for line in lines] == ["[3]", "[4]"]
    assert saved(fitted) == saved(run())
    assert not (tmp_path / "xgboost-checkpoint.8.sagemaker-ignore").exists()
    assert (tmp_path / "xgboost-checkpoint.7").read_bytes() == whole


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    """A file that ends too early is refused wherever it ends."""
    run(checkpoints=Checkpoints(tmp_path))
    whole = (tmp_path / "xgboost-checkpoint.4").read_bytes()
    folder = CheckpointFolder(Checkpoints(tmp_path), read_progress(whole).fingerprint, 5)
    assert folder.newest() == whole

    for end in range(0, len(whole), 97):
        (tmp_path / "xgboost-checkpoint.4").write_bytes(whole[:end])
        assert folder.newest() is None


def test_freezing_leaves_the_model_as_it_was() -> None:
    """The state is in the file and not in the booster."""
    booster = run().booster
    before = booster.save_raw("ubj")

    data = freeze(booster, Progress(rounds=5))

    assert booster.save_raw("ubj") == before
    assert STATE in xgboost.Booster(model_file=bytearray(data)).attributes()
    assert read_progress(data).rounds == 5


def test_a_request_to_stop_writes_a_last_checkpoint(tmp_path: Path) -> None:
    """A job that was stopped goes on where it was, not where it last wrote."""
    stop = StopSignal()
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            stop.request()

    fitted = run(stop=stop, write=write, checkpoints=Checkpoints(tmp_path))
    again = run(checkpoints=Checkpoints(tmp_path), write=lines.append)

    assert (fitted.stopped, numbers(tmp_path)) == (True, [2, 4])
    assert [line[:3] for line in lines] == ["[0]", "[1]", "[2]", "[3]", "[4]"]
    assert saved(again) == saved(run())


def test_what_a_checkpoint_cannot_hold(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The job runs without checkpoints, and a line says why."""
    raw = {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "shuffle"}
    with caplog.at_level(logging.WARNING):
        run(raw, checkpoints=Checkpoints(tmp_path / "checkpoints"))

    assert "the job has no checkpoints: feature_selector draws" in caplog.text
    assert not (tmp_path / "checkpoints").exists()


def test_a_folder_that_cannot_be_made_is_the_users(tmp_path: Path) -> None:
    """Before the first round, with the path and the remedy."""
    (tmp_path / "file").touch()

    with pytest.raises(UserError, match=r"checkpoint folder .*file/in cannot be used .*LocalPath"):
        run(checkpoints=Checkpoints(tmp_path / "file" / "in"))


FULL = """
import logging, resource, sys
from pathlib import Path
import numpy as np
from churn_daal.boosting.checkpoints import Checkpoints
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.fit import fit
from churn_daal.boosting.hyperparameters import parse
from churn_daal.contract.signals import StopSignal
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
logging.basicConfig(stream=sys.stderr)
X = np.arange(200, dtype=np.float32).reshape(100, 2)
data = Dataset(X, (np.arange(100) % 3).astype(np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
hp = parse({"num_round": "5", "nthread": "1"})
fitted = fit(data, data, hp, objective="reg:squarederror", stop=StopSignal(),
             write=lambda line: None, checkpoints=Checkpoints(Path(sys.argv[1]), rounds=1))
print(fitted.booster.num_boosted_rounds())
"""


def test_a_full_disk_costs_the_checkpoint_and_not_the_job(tmp_path: Path) -> None:
    """Training goes on without checkpoints, and one line says so."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["5"]
    assert done.stderr.count("cannot be written") == 1
    assert not list(tmp_path.glob("*.sagemaker-ignore"))


def test_a_folder_in_a_files_place_is_left_alone(tmp_path: Path) -> None:
    """One of a checkpoint's name, or of a begun one's, costs that checkpoint alone."""
    (tmp_path / "xgboost-checkpoint.1").mkdir()
    (tmp_path / "xgboost-checkpoint.2.sagemaker-ignore").mkdir()

    run(checkpoints=Checkpoints(tmp_path, rounds=1, kept=9))

    assert names(tmp_path) == [
        *("xgboost-checkpoint.0", "xgboost-checkpoint.1", "xgboost-checkpoint.2.sagemaker-ignore"),
        *("xgboost-checkpoint.3", "xgboost-checkpoint.4"),
    ]
