"""`run-pipeline` waits for the end, and tells why an execution failed.

The stand-in's executions all succeed, so the answers are botocore's stubs, held to its models.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from pipelines import run_pipeline
from pipelines.driver import CommandError

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/churn/execution/abcdefghijkl"
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - boto3's
    """Return a client that calls nobody, and pauses that take no time."""
    monkeypatch.setattr(run_pipeline, "_PAUSE_SECONDS", 0)
    return boto3.client(
        "sagemaker",
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - nobody asks for it
    )


def states(stub: Stubber, *names: str, **last: str) -> None:
    """Answer one state after the other."""
    for name in names:
        found = {"PipelineExecutionArn": ARN, "PipelineExecutionStatus": name, "CreationTime": NOW}
        if name == names[-1]:
            found |= last
        stub.add_response("describe_pipeline_execution", found, {"PipelineExecutionArn": ARN})


def test_success_is_exit_code_0(sagemaker: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ANN401
    """After as many looks as it takes."""
    with Stubber(sagemaker) as stub:
        states(stub, "Executing", "Executing", "Succeeded")

        code = run_pipeline._wait(sagemaker, ARN)

        stub.assert_no_pending_responses()
    assert code == 0
    assert capsys.readouterr().out == f"Succeeded: {ARN}\n"


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_failure_is_told_with_the_steps_reason(sagemaker: Any, status: str) -> None:  # noqa: ANN401
    """The execution's reason names the step alone; the step's says what was wrong."""
    steps = [
        {"StepName": "PreprocessChurnData", "StepStatus": "Succeeded"},
        {
            "StepName": "ModelBelowTheBar",
            "StepStatus": "Failed",
            "FailureReason": "The model was not registered: AUC",
        },
    ]
    with Stubber(sagemaker) as stub:
        states(stub, "Executing", "Stopping", status, FailureReason="Step failure.")
        listed = {"PipelineExecutionArn": ARN}
        answer = {"PipelineExecutionSteps": steps}
        stub.add_response("list_pipeline_execution_steps", answer, listed)

        with pytest.raises(CommandError) as raised:
            run_pipeline._wait(sagemaker, ARN)

    assert str(raised.value) == (
        f"the execution ended as {status}. Step failure. "
        "ModelBelowTheBar: The model was not registered: AUC"
    )
