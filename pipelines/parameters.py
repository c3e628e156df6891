"""What can be set for each execution of the pipeline, with the value it has otherwise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sagemaker.core.workflow.parameters import (
    ParameterFloat,
    ParameterInteger,
    ParameterString,
)

APPROVALS = ["PendingManualApproval", "Approved", "Rejected"]


@dataclass(frozen=True)
class Parameters:
    """The pipeline's parameters; docs/pipelines.md says what each is."""

    input_data: Any
    image: Any
    label: Any
    id_columns: Any
    validation_size: Any
    test_size: Any
    seed: Any
    processing_instance_type: Any
    training_instance_type: Any
    training_instance_count: Any
    num_round: Any
    max_depth: Any
    eta: Any
    early_stopping_rounds: Any
    threshold: Any
    minimum_accuracy: Any
    minimum_auc: Any
    minimum_f1: Any
    approval_status: Any
    batch_data: Any
    batch_content_type: Any
    transform_instance_type: Any

    def listed(self, *, batch: bool) -> list[Any]:
        """Return those that a pipeline with or without batch scoring has."""
        own = ("batch_", "transform_")
        names = [field.name for field in fields(self)]
        return [getattr(self, name) for name in names if batch or not name.startswith(own)]


def parameters(
    *,
    input_data_url: str,
    image_uri: str,
    processing_instance_type: str,
    training_instance_type: str,
    batch_data_url: str,
) -> Parameters:
    """Return the parameters, those that hang on the account with the defaults given here."""
    return Parameters(
        input_data=ParameterString("InputDataUrl", default_value=input_data_url),
        image=ParameterString("ImageUri", default_value=image_uri),
        label=ParameterString("LabelColumn", default_value="Churn?"),
        id_columns=ParameterString("IdColumns", default_value="auto"),
        validation_size=ParameterFloat("ValidationSize", default_value=0.2),
        test_size=ParameterFloat("TestSize", default_value=0.2),
        seed=ParameterInteger("Seed", default_value=0),
        processing_instance_type=ParameterString(
            "ProcessingInstanceType", default_value=processing_instance_type
        ),
        training_instance_type=ParameterString(
            "TrainingInstanceType", default_value=training_instance_type
        ),
        training_instance_count=ParameterInteger("TrainingInstanceCount", default_value=1),
        num_round=ParameterInteger("NumRound", default_value=300),
        max_depth=ParameterInteger("MaxDepth", default_value=5),
        eta=ParameterFloat("Eta", default_value=0.1),
        early_stopping_rounds=ParameterInteger("EarlyStoppingRounds", default_value=20),
        threshold=ParameterString("Threshold", default_value="0.5"),
        minimum_accuracy=ParameterFloat("MinimumAccuracy", default_value=0.9),
        minimum_auc=ParameterFloat("MinimumAuc", default_value=0.85),
        minimum_f1=ParameterFloat("MinimumF1", default_value=0.6),
        approval_status=ParameterString(
            "ModelApprovalStatus", default_value=APPROVALS[0], enum_values=APPROVALS
        ),
        batch_data=ParameterString("BatchDataUrl", default_value=batch_data_url),
        batch_content_type=ParameterString("BatchContentType", default_value="text/csv"),
        transform_instance_type=ParameterString(
            "TransformInstanceType", default_value=processing_instance_type
        ),
    )
