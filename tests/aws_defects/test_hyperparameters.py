"""AWS's table of hyperparameters, code run from input, and old XGBoost (X7, X13, X15)."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact, training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import ArtifactError, UserError

from .jobs import Job, RunJob

BINARY = "".join(f"{n % 2},{n % 7 + n % 2},{n % 5}\n" for n in range(60))
CLASSES = "".join(f"{n % 3},{n % 7 + n % 3},{n % 5}\n" for n in range(60))
REAL = "".join(f"{n % 7 - 4.5},{n % 7},{n % 5}\n" for n in range(60))


@pytest.mark.parametrize(
    ("text", "given", "shown"),
    [
        (BINARY, {"eval_metric": "rmse"}, "validation-rmse"),
        (BINARY.replace("1,", "yes,", 1).replace("\n1,", "\nyes,"), {"eval_metric": "auc"}, "auc"),
        (CLASSES, {"eval_metric": "auc", "objective": "multi:softprob"}, "validation-auc"),
        (CLASSES, {"objective": "multi:softmax"}, "validation-mlogloss"),
        (REAL, {"base_score": -3, "objective": "reg:squarederror"}, "validation-rmse"),
        (BINARY, {"monotone_constraints": "(1,0)"}, "validation-rmse"),
        (BINARY, {"monotone_constraints": "(1,0)", "tree_method": "auto"}, "validation-rmse"),
        (BINARY, {"interaction_constraints": "[[0,1]]"}, "validation-rmse"),
        (BINARY, {"updater": "grow_quantile_histmaker"}, "validation-rmse"),
    ],
    ids=str,
)
def test_x7_right_hyperparameters_train(
    run: RunJob, text: str, given: dict[str, object], shown: str
) -> None:
    """X7: what AWS's table refuses by a KeyError or a wrong rule gives a model here."""
    job = run(text, **given)

    assert shown in job.printed[-1]
    assert job.booster.num_boosted_rounds() == 5


def test_x7_a_constraint_without_a_tree_method_holds(run: RunJob) -> None:
    """X7: it is not only taken: answers fall along the column, though the labels rise."""
    job = run(BINARY, monotone_constraints="(-1,0)", objective="binary:logistic")

    rows = np.array([[a, 2] for a in range(9)], np.float32)
    answers = job.booster.inplace_predict(rows).tolist()
    assert answers == sorted(answers, reverse=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"objective": "aft_loss_distribution"}, "'objective' is 'aft_loss_distribution'; expect"),
        ({"base_score": -1, "objective": "count:poisson"}, "base_score"),
        ({"eval_metric": "merror", "objective": "binary:logistic"}, "merror"),
    ],
    ids=str,
)
def test_x7_wrong_ones_are_refused(run: RunJob, given: dict[str, object], message: str) -> None:
    """X7: the table's slips are not mended by taking everything."""
    with pytest.raises(UserError) as caught:
        run(BINARY, **given)

    assert message in str(caught.value)


class Trap:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Say how it is loaded."""
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("name", ["monotone_constraints", "interaction_constraints"])
def test_x13_constraints_are_not_run(run: RunJob, tmp_path: Path, name: str) -> None:
    """X13: Python in a hyperparameter is refused as text, and does nothing."""
    mark = tmp_path / "ran"
    code = f"[__import__('pathlib').Path({str(mark)!r}).touch()]"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert mark.exists()
    mark.unlink()

    with pytest.raises(UserError, match=f"'{name}' is .*; expected a list of"):
        run(BINARY, **{name: code}, tree_method="hist")

    assert not mark.exists()


@pytest.mark.parametrize("file", ["xgboost-model", "model.pkl", "model.ubj"])
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_x13_a_pickle_in_the_model_channel_is_not_loaded(
    lay_job: Callable[..., SageMakerPaths], tmp_path: Path, file: str, protocol: int
) -> None:
    """X13: training does not go on from a pickle; it says why and runs none of it."""
    mark = tmp_path / "ran"
    trap = pickle.dumps(Trap(mark), protocol)
    paths = lay_job(tmp_path, BINARY)
    paths.channel("model").mkdir()
    (paths.channel("model") / file).write_bytes(trap)

    with pytest.raises(UserError, match=r"is a pickle|neither UBJ nor JSON"):
        training.run(paths, StopSignal())

    assert not mark.exists()
    assert not list(paths.model.iterdir())
    pickle.loads(trap)  # noqa: S301 - the trap is one
    assert mark.exists()


def test_x13_a_pickle_in_the_model_folder_is_not_loaded(churn_model: Path, tmp_path: Path) -> None:
    """X13: neither in the model's place, with a manifest to match, nor beside it."""
    mark = tmp_path / "ran"
    trap = pickle.dumps(Trap(mark))
    model = shutil.copytree(churn_model, tmp_path / "model")
    (model / "xgboost-model.pkl").write_bytes(trap)
    assert artifact.load(model).answers()
    (model / "xgboost-model").write_bytes(trap)
    with pytest.raises(ArtifactError, match="is damaged or was replaced"):
        artifact.load(model)
    manifest = model / "daal" / "manifest.json"
    document = json.loads(manifest.read_text())
    document["files"]["xgboost-model"] = hashlib.sha256(trap).hexdigest()
    del document["files"]["daal/onedal.bin"]
    (model / "daal" / "onedal.bin").unlink()
    manifest.write_text(json.dumps(document))

    with pytest.raises(ArtifactError, match="xgboost-model"):
        artifact.load(model)

    assert not mark.exists()


def metric_lines_alone(job: Job) -> bool:
    """Tell whether stdout has rounds and nothing else."""
    figure = r"[a-z]+-[\w@.-]+:-?[\d.e-]+"
    return all(re.fullmatch(rf"\[(\d+|oof)\](\t({figure}))+", line) for line in job.printed)


def test_x15_gpu_hist_trains(run: RunJob) -> None:
    """X15: what passes the check passes XGBoost, too: as hist, with a warning."""
    job = run(BINARY, tree_method="gpu_hist", predictor="gpu_predictor")

    assert job.booster.save_raw("ubj") == run(BINARY, tree_method="hist").booster.save_raw("ubj")
    assert "tree_method gpu_hist: training runs on the CPU" in job.log


@pytest.mark.parametrize(
    "files",
    [
        {"rows.csv": BINARY},
        {"rows.libsvm": "".join(f"{n % 2} 1:{n % 7} 2:{n % 5}\n" for n in range(60))},
    ],
    ids=["csv", "libsvm"],
)
def test_x15_no_old_reader_and_no_debug_lines(run: RunJob, files: dict[str, str]) -> None:
    """X15: XGBoost's text parser is not used; stdout has metric lines alone, folds included."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        job = run(
            files, _kfold=2, early_stopping_rounds=3, eval_metric="mae,rmse", verbosity=2
        )  # fmt: skip

    assert [str(warning.message) for warning in raised] == []
    assert "deprecat" not in job.log.lower()
    assert len(job.printed) >= 3
    assert metric_lines_alone(job)
