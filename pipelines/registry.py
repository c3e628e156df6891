"""The steps behind the condition: a model in the registry, a model for batch scoring, a refusal."""

from __future__ import annotations

from typing import Any, Final

from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.serve import ModelBuilder

from pipelines.jobs import output_of
from pipelines.setting import CALL_RETRY, Setting

# What the image reads and writes (docs/http.md).
CONTENT_TYPES: Final = [
    "text/csv",
    "application/json",
    "application/jsonlines",
    "text/libsvm",
    "application/x-npy",
    "application/x-recordio-protobuf",
    "application/x-parquet",
    "application/vnd.apache.arrow.stream",
]
RESPONSE_TYPES: Final = [
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-npy",
    "application/x-recordio-protobuf",
    "application/vnd.apache.arrow.stream",
]


def register_step(
    setting: Setting,
    training: TrainingStep,
    evaluation: ProcessingStep,
    *,
    group: str,
    instance_types: list[str],
) -> ModelStep:
    """Return the step that puts the model into the registry, with its figures and baselines."""

    def source(output: str, name: str) -> MetricsSource:
        uri = Join(on="/", values=[output_of(evaluation, output), name])
        return MetricsSource(content_type="application/json", s3_uri=uri)

    quality = source("evaluation", "evaluation.json"), source("evaluation", "constraints.json")
    data = source("baseline", "statistics.json"), source("baseline", "constraints.json")
    step_args = _builder(setting, training).register(
        model_package_group_name=group,
        content_types=CONTENT_TYPES,
        response_types=RESPONSE_TYPES,
        inference_instances=instance_types,
        transform_instances=instance_types,
        approval_status=setting.parameters.approval_status,
        domain="MACHINE_LEARNING",
        task="CLASSIFICATION",
        model_metrics=ModelMetrics(
            model_statistics=quality[0],
            model_constraints=quality[1],
            model_data_statistics=data[0],
            model_data_constraints=data[1],
        ),
        drift_check_baselines=DriftCheckBaselines(
            model_statistics=quality[0],
            model_constraints=quality[1],
            model_data_statistics=data[0],
            model_data_constraints=data[1],
        ),
    )
    _without_framework(step_args.create_model_package_request["InferenceSpecification"])
    return ModelStep(name="RegisterChurnModel", step_args=step_args, retry_policies=[CALL_RETRY])


def create_model_step(setting: Setting, training: TrainingStep) -> ModelStep:
    """Return the step that makes a model of the service's, for batch scoring."""
    session = setting.session
    # Not by ModelBuilder.build(): it asks a client for what that of local mode has not.
    session.init_model_step_arguments(_builder(setting, training))
    session.create_model(
        name="churn",
        role=setting.role,
        container_defs={
            "Image": setting.parameters.image,
            "ModelDataUrl": training.properties.ModelArtifacts.S3ModelArtifacts,
            "Environment": {},
        },
    )
    step_args, session.context = session.context, None
    return ModelStep(name="CreateChurnModel", step_args=step_args, retry_policies=[CALL_RETRY])


def fail_step(setting: Setting, evaluation: ProcessingStep) -> FailStep:
    """Return the step that ends an execution whose model is below the bar."""
    given = setting.parameters
    values = [
        "The model was not registered: on the test rows it has to reach accuracy",
        given.minimum_accuracy.to_string(),
        "(MinimumAccuracy), AUC",
        given.minimum_auc.to_string(),
        "(MinimumAuc) and F1",
        given.minimum_f1.to_string(),
        "(MinimumF1), and missed one at least. Its figures are in evaluation.json under",
        output_of(evaluation, "evaluation"),
        "- look at the data and the hyperparameters, or start the pipeline with a lower bar.",
    ]
    return FailStep(name="ModelBelowTheBar", error_message=Join(on=" ", values=values))


def _builder(setting: Setting, training: TrainingStep) -> ModelBuilder:
    return ModelBuilder(
        image_uri=setting.parameters.image,
        s3_model_data_url=training.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=setting.role,
        sagemaker_session=setting.session,
    )


def _without_framework(specification: dict[str, Any]) -> None:
    # The builder writes the variables of AWS's framework images, most of them empty; this image
    # has its own defaults, which a deployment may still set.
    for container in specification["Containers"]:
        container.pop("Environment", None)
