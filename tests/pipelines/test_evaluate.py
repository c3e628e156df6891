"""The report is of the model as it will answer, or there is no report."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from churn_daal.artifact import load
from churn_daal.data import churn_csv
from churn_daal.evaluation import answer_rows
from pipelines import evaluate


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    """Return a folder with rows the churn model was not trained on."""
    head, *lines = churn_csv().read_text().splitlines(keepends=True)
    folder = tmp_path / "test"
    folder.mkdir()
    (folder / "test.csv").write_text(head + "".join(lines[2_000:3_000]))
    return folder


def packed(model: Path, folder: Path, *, prefix: str = "") -> Path:
    """Return a folder with model.tar.gz, or output.tar.gz, of a folder's files."""
    name = "output.tar.gz" if model.name == "data" else "model.tar.gz"
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / name, "w:gz") as tar:
        for path in sorted(model.rglob("*")):
            tar.add(path, prefix + str(path.relative_to(model)), recursive=False)
    return folder


def test_the_report_has_model_monitors_form(
    tmp_path: Path, churn_model: Path, unseen: Path
) -> None:
    """Accuracy, AUC and F1 stand where a pipeline's condition looks for them."""
    code = evaluate.main(
        [
            *("--model", str(packed(churn_model, tmp_path / "model"))),
            *("--test", str(unseen), "--output", str(tmp_path / "out")),
        ]
    )

    report = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    figures = report["binary_classification_metrics"]
    answered = answer_rows(load(churn_model), unseen)
    assert code == 0
    assert report["dataset"]["item_count"] == 1_000
    assert figures["auc"]["value"] == roc_auc_score(answered.truth, answered.probability)
    assert figures["accuracy"]["value"] == (answered.truth == answered.positive).mean()
    assert {"precision", "recall", "f1", "confusion_matrix"} < set(figures)
    assert report["model"]["threshold"] == 0.5
    bounds = json.loads((tmp_path / "out" / "constraints.json").read_text())
    assert bounds["binary_classification_constraints"]["f1"]["threshold"] == figures["f1"]["value"]


def test_the_threshold_is_the_manifests(tmp_path: Path, churn_model: Path, unseen: Path) -> None:
    """Another threshold in the model is another confusion matrix, and the same AUC."""
    other = tmp_path / "other"
    packed_model = packed(churn_model, tmp_path / "model")
    with tarfile.open(packed_model / "model.tar.gz") as tar:
        tar.extractall(other, filter="data")
    manifest = other / "daal" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"threshold": 0.5', '"threshold": 0.2'))

    reports = [evaluate.evaluate(m, unseen, tmp_path / "out") for m in (packed_model, other)]

    one, two = (report["binary_classification_metrics"] for report in reports)
    assert one["auc"] == two["auc"]
    assert two["recall"]["value"] > one["recall"]["value"]
    assert reports[1]["model"]["threshold"] == 0.2


@pytest.mark.parametrize("prefix", ["", "data/"], ids=["SageMaker", "local mode"])
def test_the_baseline_is_taken_from_the_job(tmp_path: Path, churn_model: Path, prefix: str) -> None:
    """What training wrote for Model Monitor is handed to the registry as it is."""
    data = churn_model.parent / "output" / "data"
    source = packed(data, tmp_path / "training", prefix=prefix)

    evaluate.take_baseline(source, tmp_path / "baseline")

    for name in ("statistics.json", "constraints.json"):
        assert (tmp_path / "baseline" / name).read_bytes() == (data / name).read_bytes()


@pytest.mark.parametrize(
    "case",
    [
        (["--test", "/nowhere"], "there are no rows /nowhere"),
        (["--model", "/nowhere"], "there is no model /nowhere"),
        (["--label", "Churned"], "--label: there is no column 'Churned'"),
        (["--training-output", "/nowhere"], "there is no /nowhere/output.tar.gz"),
    ],
)
def test_a_fault_leaves_no_report(
    tmp_path: Path,
    churn_model: Path,
    unseen: Path,
    capsys: pytest.CaptureFixture[str],
    case: tuple[list[str], str],
) -> None:
    """One line on stderr, exit code 1, and nothing a condition could read."""
    options, named = case
    code = evaluate.main(
        [
            *("--model", str(churn_model), "--test", str(unseen)),
            *("--output", str(tmp_path / "out"), *options),
        ]
    )

    assert code == 1
    assert named in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
