"""The pipeline's jobs run for real, in this image, by the SDK's own local mode."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churn_daal.data import churn_csv
from churn_daal.evaluation import open_package
from pipelines.locations import DATA_KEY

from .conftest import Client, Run, free_port, kwargs

pytestmark = [pytest.mark.mlops, pytest.mark.container]


@dataclass(frozen=True)
class Execution:
    """What came of one.

    Attributes
    ----------
    done
        The command.
    report
        What the SDK says of the execution.
    files
        The objects in the bucket, by their name below it.
    """

    done: subprocess.CompletedProcess[str]
    report: dict[str, Any]
    files: dict[str, bytes]

    def one(self, ending: str) -> bytes:
        """Return the one object whose name ends so."""
        [found] = [data for name, data in self.files.items() if name.endswith(ending)]
        return found

    @property
    def states(self) -> dict[str, str]:
        """How each step ended."""
        return {step["StepName"]: step["StepStatus"] for step in self.report["steps"]}


def execute(
    run: Run, client: Client, bucket: str, image: str, base: Path, **parameters: object
) -> Execution:
    """Upload the data, run the pipeline, and gather what it left."""
    s3 = client("s3")
    s3.upload_file(str(churn_csv()), bucket, DATA_KEY)
    rows = [line.rpartition(",")[0] for line in churn_csv().read_text().splitlines()[1:201]]
    s3.put_object(Bucket=bucket, Key="batch/customers.csv", Body="\n".join(rows) + "\n")
    done = run(
        *(sys.executable, "-m", "pipelines.run_local", "--image", image),
        *("--kwargs", kwargs(bucket, batch_data_url=f"s3://{bucket}/batch/customers.csv")),
        *("--parameters", json.dumps({"NumRound": 40, **parameters})),
        *("--container-root", str(base / "root"), "--report", str(base / "report.json")),
        *("--serving-port", str(free_port())),
    )
    report = base / "report.json"
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    return Execution(
        done,
        json.loads(report.read_text()) if report.exists() else {},
        {
            item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            for item in listed
        },
    )


def test_a_good_model_passes(
    run: Run, client: Client, bucket: str, image: str, tmp_path: Path
) -> None:
    """Preprocess, train, evaluate, condition, then the batch scored by the model of this run."""
    came = execute(run, client, bucket, image, tmp_path)

    assert came.done.returncode == 0, came.done.stdout[-4000:] + came.done.stderr[-4000:]
    assert came.states == dict.fromkeys(
        [
            *("PreprocessChurnData", "TrainChurnModel", "EvaluateChurnModel", "CheckTheBar"),
            *("CreateChurnModel", "ScoreChurnBatch"),
        ],
        "Succeeded",
    )
    figures = json.loads(came.one("evaluation.json"))["binary_classification_metrics"]
    assert figures["auc"]["value"] > 0.9
    assert figures["accuracy"]["value"] > figures["accuracy_best_constant_classifier"]["value"]
    assert {"features", "dataset"} <= set(json.loads(came.one("baseline/statistics.json")))
    (tmp_path / "model.tar.gz").write_bytes(came.one("model.tar.gz"))
    model = open_package(tmp_path / "model.tar.gz", tmp_path / "unpacked")
    rows = [line.split(",")[:-1] for line in churn_csv().read_text().splitlines()[1:201]]
    expected = model.predict(model.encoder.from_text(list(zip(*rows, strict=True))))
    scored = [float(line) for line in came.one("customers.csv.out").split()]
    assert np.abs(np.asarray(scored) - expected).max() < 1e-6


def test_a_poor_model_fails_with_a_reason(
    run: Run, client: Client, bucket: str, image: str, tmp_path: Path
) -> None:
    """The execution fails, its reason names the bar and the report; nothing is scored."""
    came = execute(run, client, bucket, image, tmp_path, MinimumAuc=0.9999, MinimumF1=0.9)

    assert came.done.returncode == 1, came.done.stdout[-4000:] + came.done.stderr[-4000:]
    assert came.states["CheckTheBar"] == "Succeeded"
    assert came.states["ModelBelowTheBar"] == "Failed"
    assert "ScoreChurnBatch" not in came.states
    reason = came.report["execution"]["FailureReason"]
    assert "The model was not registered: on the test rows it has to reach" in reason
    assert "AUC 0.9999 (MinimumAuc) and F1 0.9 (MinimumF1)" in reason
    assert reason in came.done.stderr
    assert came.one("evaluation.json")
    assert not [name for name in came.files if name.endswith(".out")]


def test_a_mistake_in_a_parameter_reaches_its_user(
    run: Run, client: Client, bucket: str, image: str, tmp_path: Path
) -> None:
    """A share that is a count fails the first step; its log says what to write instead."""
    came = execute(run, client, bucket, image, tmp_path, TestSize=20.0)

    assert came.done.returncode == 1
    assert came.states == {"PreprocessChurnData": "Failed"}
    assert "test_size is 20; it is a share of the rows" in came.done.stdout
    assert not [name for name in came.files if name.endswith(".parquet")]
