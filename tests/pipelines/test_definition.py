"""The committed definition is what the code renders, and every step of it a request AWS takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import xform_name

from .conftest import REGION, ROLE, ROOT, Client, Program, Run
from .request_model import OPERATIONS, Definition, faults

pytestmark = pytest.mark.mlops
EXAMPLE = ROOT / "pipelines" / "definition.example.json"
BUCKET = "amzn-s3-demo-bucket"
ARGUMENTS = {
    "region": REGION,
    "role": ROLE,
    "default_bucket": BUCKET,
    "batch_data_url": f"s3://{BUCKET}/batch/customers.csv",
}
JOBS = {
    "PreprocessChurnData": "Processing",
    "TrainChurnModel": "Training",
    "EvaluateChurnModel": "Processing",
    "RegisterChurnModel": "RegisterModel",
    "CreateChurnModel": "Model",
    "ScoreChurnBatch": "Transform",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the committed definition."""
    found: dict[str, Any] = json.loads(EXAMPLE.read_text())
    return found


@pytest.fixture(scope="module")
def definition(document: dict[str, Any]) -> Definition:
    """Return it with its steps found."""
    return Definition(document)


def test_the_example_is_what_the_code_renders(run: Run, program: Program, client: Client) -> None:
    """By the command of docs/pipelines.md, byte for byte."""
    client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )

    done = run(
        program("get-pipeline-definition"),
        *("--module-name", "pipelines.pipeline", "--kwargs", json.dumps(ARGUMENTS)),
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == EXAMPLE.read_text(), "render the example again, see docs/pipelines.md"


def test_every_kind_of_step_is_there(definition: Definition) -> None:
    """None is left unchecked below."""
    jobs = {n: s["Type"] for n, s in definition.steps.items() if s["Type"] in OPERATIONS}

    assert jobs == JOBS
    assert {s["Type"] for s in definition.steps.values()} == {*OPERATIONS, "Condition", "Fail"}


@pytest.mark.parametrize("name", JOBS)
def test_each_step_is_a_request_the_service_takes(definition: Definition, name: str) -> None:
    """By botocore's own model: types, names, enumerations, patterns, lengths."""
    operation, arguments = definition.request(name)

    assert faults(operation, arguments) == []


@pytest.mark.parametrize("name", JOBS)
def test_each_request_is_answered(definition: Definition, client: Client, name: str) -> None:
    """The stand-in of the service takes it; a model package then waits for a person."""
    sagemaker = client("sagemaker")
    operation, arguments = definition.request(name)
    if name == "RegisterChurnModel":
        group = arguments["ModelPackageGroupName"]
        sagemaker.create_model_package_group(ModelPackageGroupName=group)

    answer = getattr(sagemaker, xform_name(operation))(**arguments)

    [arn] = [value for key, value in answer.items() if key.endswith("Arn")]
    assert arn.startswith(f"arn:aws:sagemaker:{REGION}:")
    if name == "RegisterChurnModel":
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        assert found["ModelApprovalStatus"] == "PendingManualApproval"
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        assert found["ModelApprovalStatus"] == "Approved"
        assert found["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].endswith(".json")


def test_the_check_would_find_a_fault(definition: Definition) -> None:
    """A wrong type, name, choice or pattern is not let pass."""
    operation, arguments = definition.request("TrainChurnModel")
    spoilt = [
        arguments | {"HyperParameters": {"num_round": 300}},
        arguments | {"Checkpoints": {}},
        arguments | {"AlgorithmSpecification": {"TrainingInputMode": "Fast", "TrainingImage": "x"}},
        arguments | {"RoleArn": "ChurnPipeline"},
    ]

    assert all(faults(operation, each) for each in spoilt)


def test_training_is_managed_spot_with_checkpoints(definition: Definition) -> None:
    """Interrupted, it goes on; it is waited for longer than it may run."""
    _, training = definition.request("TrainChurnModel")

    assert training["EnableManagedSpotTraining"] is True
    assert training["CheckpointConfig"]["S3Uri"] == f"s3://{BUCKET}/churn/checkpoints"
    condition = training["StoppingCondition"]
    assert condition["MaxWaitTimeInSeconds"] >= condition["MaxRuntimeInSeconds"]
    assert {
        c["ChannelName"]: c["DataSource"]["S3DataSource"]["S3DataDistributionType"]
        for c in training["InputDataConfig"]
    } == {"train": "ShardedByS3Key", "validation": "FullyReplicated"}


@pytest.mark.parametrize("name", JOBS)
def test_steps_are_retried_and_cached(definition: Definition, name: str) -> None:
    """Throttling ends no execution; what was computed before is not computed again."""
    step = definition.steps[name]
    job = step["Type"] in {"Processing", "Training", "Transform"}

    kinds = {kind for policy in step["RetryPolicies"] for kind in policy["ExceptionType"]}
    assert {"Step.THROTTLING", "Step.SERVICE_FAULT"} <= kinds
    assert ("SageMaker.CAPACITY_ERROR" in kinds) == job
    if step["Type"] in {"Processing", "Training"}:
        assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}


def test_what_is_cached_does_not_change_by_itself(document: dict[str, Any]) -> None:
    """Nothing an execution has for itself is in what the service compares for its cache."""
    definition = Definition(document)
    compared = ("AppSpecification", "ProcessingInputs", "AlgorithmSpecification")
    compared += ("CheckpointConfig", "HyperParameters", "InputDataConfig", "Environment")

    for name in ("PreprocessChurnData", "TrainChurnModel", "EvaluateChurnModel"):
        arguments = definition.steps[name]["Arguments"]
        text = json.dumps({key: arguments[key] for key in compared if key in arguments})
        assert "Execution." not in text


def test_the_bar_stands_before_the_registry(definition: Definition) -> None:
    """Accuracy, AUC and F1 on probabilities, each against its parameter; below it, a reason."""
    check = definition.steps["CheckTheBar"]["Arguments"]

    bars = {
        c["LeftValue"]["Std:JsonGet"]["Path"]: c["RightValue"]["Get"] for c in check["Conditions"]
    }
    assert {c["Type"] for c in check["Conditions"]} == {"GreaterThanOrEqualTo"}
    assert bars == {
        "binary_classification_metrics.accuracy.value": "Parameters.MinimumAccuracy",
        "binary_classification_metrics.auc.value": "Parameters.MinimumAuc",
        "binary_classification_metrics.f1.value": "Parameters.MinimumF1",
    }
    assert check["IfSteps"][0]["Name"] == "RegisterChurnModel"
    [fail] = check["ElseSteps"]
    message = definition.resolve(fail["Arguments"]["ErrorMessage"])
    assert "not registered: on the test rows it has to reach accuracy 0.9" in message
    assert "evaluation.json under s3://" in message


def test_the_registered_model_says_what_it_takes(definition: Definition) -> None:
    """Approval by a person, metrics, baselines, content types, instance types."""
    _, package = definition.request("RegisterChurnModel")

    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    for key in ("ModelMetrics", "DriftCheckBaselines"):
        for kind in ("ModelQuality", "ModelDataQuality"):
            sources = package[key][kind]
            assert {"Statistics", "Constraints"} == set(sources)
    inference = package["InferenceSpecification"]
    assert {"text/csv", "application/json"} <= set(inference["SupportedContentTypes"])
    assert inference["SupportedRealtimeInferenceInstanceTypes"]
    [container] = inference["Containers"]
    assert set(container) == {"Image", "ModelDataUrl"}


def test_nothing_of_an_account_is_in_the_code() -> None:
    """Buckets, accounts and images come from the arguments."""
    code = "".join(path.read_text() for path in (ROOT / "pipelines").glob("*.py"))

    assert BUCKET not in code
    assert "111122223333" not in code
    assert "123456789012" in code  # of messages alone, which show how an ARN looks
    assert code.count("123456789012") == 2
