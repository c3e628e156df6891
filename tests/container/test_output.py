"""What a job prints last and leaves in output/data: folds, figures, reports."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from .conftest import Train
from .drive import CHURN, failure_of, lay_job

pytestmark = pytest.mark.container
ROWS = 900
HEADER, *LINES = CHURN.read_text(encoding="utf-8").splitlines(keepends=True)
TRAIN = HEADER + "".join(LINES[:ROWS])
HP = {"label": "Churn?", "objective": "binary:logistic", "num_round": 5, "eval_metric": "f1,auc"}
Finished = tuple[Path, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folded(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Return an /opt/ml after a job with folds, and what it printed."""
    opt_ml = lay_job(
        tmp_path_factory.mktemp("folded") / "ml",
        {"train/churn.csv": TRAIN},
        _kfold="3",
        _num_cv_round="2",
        **HP,
    )
    done = train(opt_ml)
    assert done.returncode == 0, done.stderr
    return opt_ml, done


def strict(file: Path) -> Any:  # noqa: ANN401 - JSON of any type
    """Parse JSON as the standard has it, which Python's reader is not."""

    def refuse(word: str) -> NoReturn:
        pytest.fail(f"{file.name} holds {word}, which is not JSON")

    return json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_figures_of_the_folds_are_the_last_lines(folded: Finished) -> None:
    """SageMaker takes a metric's last value: a tuner then optimises the out-of-fold figure."""
    lines = folded[1].stdout.splitlines()
    rounds, means, last = lines[:-4], "\n".join(lines[-4:-2]), "\n".join(lines[-2:])

    assert [re.match(r"\[(\d+)\]\ttrain-auc:", line)[1] for line in rounds] == list("01234")
    assert re.findall(r"^\[oof\]\t(cv-\S+):\d\.\d+\t(\S+-std):\d\.\d+$", means, re.MULTILINE) == [
        ("cv-auc", "cv-auc-std"),
        ("cv-f1", "cv-f1-std"),
    ]
    for metric in ("auc", "f1"):
        caught = re.findall(rf".*\[[0-9]+\].*\tvalidation-{metric}:([0-9.]+)", last)
        assert caught == re.findall(rf"cv-{metric}:([0-9.]+)", means)


def test_every_row_has_an_answer_of_models_that_did_not_see_it(folded: Finished) -> None:
    """In the order of the data; label, probability, answer."""
    opt_ml, _ = folded
    with (opt_ml / "output/data/predictions.csv").open(newline="") as file:
        predictions = list(csv.reader(file))

    labels = [line.rstrip().rsplit(",", 1)[1] for line in LINES[:ROWS]]
    assert [row[0] for row in predictions] == labels
    probability = np.array([float(row[1]) for row in predictions])
    answers = np.array([row[2] for row in predictions])
    assert ((probability >= 0.5) == (answers == "True.")).all()
    metrics = strict(opt_ml / "output/data/metrics.json")["channels"]["out_of_fold"]
    assert metrics["rows"] == ROWS


def test_output_data_holds_the_files_the_docs_name_in_strict_json(folded: Finished) -> None:
    """A pipeline's JsonGet, or a browser, reads no NaN."""
    output = folded[0] / "output/data"

    names = {path.name for path in output.iterdir()}

    assert names == {
        "metrics.json",
        "evals.json",
        "feature_importance.csv",
        "feature_importance_encoded.csv",
        "feature_importance.json",
        "data_quality.json",
        "statistics.json",
        "constraints.json",
        "calibration.json",
        "predictions.csv",
    }
    documents = {name: strict(output / name) for name in names if name.endswith(".json")}
    flat = documents["metrics.json"]["metrics"]
    assert flat["validation_rows"] == ROWS // 5
    assert 0.5 < flat["out_of_fold_auc"] < 1
    assert len(documents["evals.json"]["scores"]["validation"]["auc"]) == HP["num_round"]
    with (output / "feature_importance.csv").open(newline="") as file:
        ranks = [row["rank"] for row in csv.DictReader(file)]
    assert ranks == [str(rank + 1) for rank in range(len(HEADER.split(",")) - 1)]


def test_more_folds_than_rows_are_refused(train: Train, tmp_path: Path) -> None:
    """Before anything is fitted."""
    text = HEADER + "".join(LINES[:30])
    opt_ml = lay_job(tmp_path / "ml", {"train/churn.csv": text}, _kfold=31, **HP)
    done = train(opt_ml)

    failure = failure_of(opt_ml, done)

    assert "_kfold" in failure
    assert "31" in failure
    assert "[0]" not in done.stdout


def test_a_report_that_cannot_be_written_does_not_cost_the_model(
    train: Train, tmp_path: Path
) -> None:
    """A file stands where the folder should be: a warning, a model, exit code 0."""
    opt_ml = lay_job(tmp_path / "ml", {"train/churn.csv": TRAIN}, **HP)
    (opt_ml / "output/data").rmdir()
    (opt_ml / "output/data").write_text("in the way")

    done = train(opt_ml)

    assert done.returncode == 0, done.stderr
    assert (opt_ml / "model/daal/onedal.bin").is_file()
    assert any(
        line.startswith("WARNING ") and "/opt/ml/output/data" in line
        for line in done.stderr.splitlines()
    )
