"""What all steps share: where they write, what they are given, when they are tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig

from pipelines.parameters import Parameters

# Throttled calls and faults of the service pass; a job that failed by its own fault is not retried.
CALL_RETRY: Final = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=10,
    backoff_rate=2.0,
    max_attempts=5,
)
JOB_RETRY: Final = SageMakerJobStepRetryPolicy(
    exception_types=[
        SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
        SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
    ],
    interval_seconds=60,
    backoff_rate=2.0,
    max_attempts=3,
)
RETRIES: Final = [CALL_RETRY, JOB_RETRY]


@dataclass(frozen=True)
class Setting:
    """What the steps of one pipeline share.

    Attributes
    ----------
    session
        The pipeline session.
    role
        The jobs' role.
    prefix
        `s3://bucket/prefix` of all that is written.
    job_prefix
        How the jobs' names begin.
    parameters
        The pipeline's parameters.
    cache
        Whether and how long a step's result is taken instead of a new run.
    """

    session: Any
    role: str
    prefix: str
    job_prefix: str
    parameters: Parameters
    cache: CacheConfig

    def of_execution(self, *names: str) -> Any:  # noqa: ANN401 - the SDK's
        """Return an address that each execution has for itself."""
        values = [self.prefix, ExecutionVariables.PIPELINE_EXECUTION_ID, *names]
        return Join(on="/", values=values)
