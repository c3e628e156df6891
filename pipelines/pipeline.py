"""The pipeline: preprocess, train, evaluate, and register what reaches the bar.

`get_pipeline` has the shape of AWS's MLOps project template, so that its build project can call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig

from pipelines import jobs, locations, registry
from pipelines.buckets import check_bucket
from pipelines.parameters import Parameters, parameters
from pipelines.setting import Setting

# The parameter that is the bar, and the figure of the report that it is held to.
BARS = {"minimum_accuracy": "accuracy", "minimum_auc": "auc", "minimum_f1": "f1"}


def get_pipeline(
    region: str,
    role: str | None = None,
    default_bucket: str | None = None,
    *,
    sagemaker_project_name: str | None = None,  # noqa: ARG001 - the template passes it
    sagemaker_project_arn: str | None = None,  # noqa: ARG001 - the template passes it
    model_package_group_name: str = "ChurnPackageGroup",
    pipeline_name: str = "ChurnPipeline",
    base_job_prefix: str = "churn",
    processing_instance_type: str = "ml.m5.large",
    training_instance_type: str = "ml.m5.xlarge",
    inference_instance_types: Sequence[str] = ("ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"),
    image_uri: str | None = None,
    input_data_url: str | None = None,
    batch_data_url: str | None = None,
    transform_instance_count: int = 1,
    use_spot: bool = True,
    max_run_seconds: int = 3600,
    max_wait_seconds: int = 7200,
    cache_expires_after: str | None = "P30D",
    sagemaker_session: Any = None,  # noqa: ANN401 - the SDK's
) -> Pipeline:
    """Return the pipeline.

    Parameters
    ----------
    region
        AWS region.
    role
        ARN of the role that the jobs and the model have.
    default_bucket
        Where everything is written; by default the SDK's own bucket of the account.
    sagemaker_project_name, sagemaker_project_arn
        Taken since the template's build project passes them; `run-pipeline` tags with them.
    model_package_group_name
        Group of the registry that versions are added to.
    pipeline_name, base_job_prefix
        Names of the pipeline and, at their beginning, of its jobs.
    processing_instance_type, training_instance_type
        Defaults of the parameters of those names.
    inference_instance_types
        What the registered model may be deployed on, and scored in batch.
    image_uri
        This toolkit's image; by default `churn-daal:latest` in the ECR of the role's account.
    input_data_url
        The raw rows; by default where `make data` puts them.
    batch_data_url
        Rows to score once a model has passed; without it there are no steps for that.
    transform_instance_count
        On how many instances.
    use_spot
        Whether to train on managed spot instances.
    max_run_seconds, max_wait_seconds
        How long training may run, and how long it may take with waiting for spot instances.
    cache_expires_after
        Age, as an ISO 8601 duration, up to which a step's earlier result is taken; None for never.
    sagemaker_session
        By default a pipeline session of the region. With one of the SDK's local mode the step that
        registers is left out, since there is no registry, and hosts are not given shares of the
        rows, which it cannot do.

    Raises
    ------
    ValueError
        The role is none, the bucket is not there, or the waiting time is shorter than the running
        time.
    """
    role = _checked(role, max_run_seconds, max_wait_seconds if use_spot else max_run_seconds)
    image = image_uri or locations.image_uri(region, role)
    session = sagemaker_session or pipeline_session(region, default_bucket)
    if default_bucket is not None:
        check_bucket(session.boto_session.client("s3"), default_bucket, region)
    bucket = session.default_bucket()
    given = parameters(
        input_data_url=input_data_url or locations.data_url(bucket),
        image_uri=image,
        processing_instance_type=processing_instance_type,
        training_instance_type=training_instance_type,
        batch_data_url=batch_data_url or "",
    )
    cache = CacheConfig(
        enable_caching=cache_expires_after is not None, expire_after=cache_expires_after
    )
    prefix = f"s3://{bucket}/{base_job_prefix}"
    setting = Setting(session, role, prefix, base_job_prefix, given, cache)

    data = jobs.preprocess_step(setting)
    training = jobs.train_step(
        setting, data, max_run=max_run_seconds, max_wait=max_wait_seconds, spot=use_spot
    )
    evaluation, report = jobs.evaluate_step(setting, data, training)
    passed: list[Any] = []
    if not session.local_mode:
        types = list(inference_instance_types)
        passed.append(
            registry.register_step(
                setting, training, evaluation, group=model_package_group_name, instance_types=types
            )
        )
    if batch_data_url:
        model = registry.create_model_step(setting, training)
        name, instances = model.properties.ModelName, transform_instance_count
        passed += [model, jobs.batch_step(setting, name, instances=instances)]
    condition = ConditionStep(
        name="CheckTheBar",
        conditions=_conditions(given, evaluation, report),
        if_steps=passed,
        else_steps=[registry.fail_step(setting, evaluation)],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=given.listed(batch=bool(batch_data_url)),
        steps=[data, training, evaluation, condition],
        sagemaker_session=session,
    )


def pipeline_session(region: str, default_bucket: str | None = None) -> PipelineSession:
    """Return a session in which calls make steps."""
    boto_session = boto3.Session(region_name=region)
    return PipelineSession(boto_session=boto_session, default_bucket=default_bucket)


def _checked(role: str | None, max_run: int, max_wait: int) -> str:
    """Return the role where it is given and the times can be."""
    if role is None:
        raise ValueError(
            "role is not given; pass the ARN of the role that the pipeline's jobs are to have"
        )
    if max_wait < max_run:
        raise ValueError(
            f"max_wait_seconds {max_wait} is below max_run_seconds {max_run}; with spot instances "
            "the waiting time includes the running time"
        )
    return role


def _conditions(given: Parameters, evaluation: Any, report: Any) -> list[Any]:  # noqa: ANN401
    return [
        ConditionGreaterThanOrEqualTo(
            left=JsonGet(
                step_name=evaluation.name,
                property_file=report,
                json_path=f"binary_classification_metrics.{figure}.value",
            ),
            right=getattr(given, parameter),
        )
        for parameter, figure in BARS.items()
    ]
