"""The steps that are jobs: preprocess, train, evaluate, score in batch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    CheckpointConfig,
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    S3DataSource,
    StoppingCondition,
)
from sagemaker.core.training.configs import Compute, InputData
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep
from sagemaker.train import ModelTrainer

from pipelines.setting import RETRIES, Setting

HERE: Final = Path(__file__).parent
PROCESSING: Final = "/opt/ml/processing"
PARQUET: Final = "application/x-parquet"


def preprocess_step(setting: Setting) -> ProcessingStep:
    """Return the step that splits the raw rows."""
    given = setting.parameters
    arguments = [
        *("--input-data", f"{PROCESSING}/raw", "--output", PROCESSING),
        *("--label", given.label, "--id-columns", given.id_columns),
        *("--validation-size", given.validation_size.to_string()),
        *("--test-size", given.test_size.to_string(), "--seed", given.seed.to_string()),
        *("--train-files", given.training_instance_count.to_string()),
    ]
    step_args = _processor(setting, "preprocess").run(
        code=_script("preprocess.py"),
        inputs=[_input("raw", given.input_data)],
        outputs=[_output(setting, "preprocess", part) for part in ("train", "validation", "test")],
        arguments=arguments,
    )
    return ProcessingStep(
        name="PreprocessChurnData",
        step_args=step_args,
        cache_config=setting.cache,
        retry_policies=RETRIES,
    )


def train_step(
    setting: Setting, data: ProcessingStep, *, max_run: int, max_wait: int, spot: bool
) -> TrainingStep:
    """Return the step that trains with this image.

    Parameters
    ----------
    data
        The step that made the channels.
    max_run, max_wait
        Seconds that it may run, and with spot instances also wait for them.
    spot
        Whether to train on managed spot instances.
    """
    given = setting.parameters
    trainer = ModelTrainer(
        training_image=given.image,
        role=setting.role,
        sagemaker_session=setting.session,
        base_job_name=f"{setting.job_prefix}-train",
        compute=Compute(
            instance_type=given.training_instance_type,
            instance_count=given.training_instance_count,
            enable_managed_spot_training=spot,
        ),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=max_run,
            **({"max_wait_time_in_seconds": max_wait} if spot else {}),
        ),
        # One place for all executions, so that the step can be cached: a checkpoint of another
        # job is told by its own contents and passed over (docs/checkpoints.md).
        checkpoint_config=CheckpointConfig(s3_uri=f"{setting.prefix}/checkpoints"),
        output_data_config=OutputDataConfig(s3_output_path=f"{setting.prefix}/training"),
        hyperparameters={
            "objective": "binary:logistic",
            "label": given.label,
            "eval_metric": "auc",
            "num_round": given.num_round.to_string(),
            "max_depth": given.max_depth.to_string(),
            "eta": given.eta.to_string(),
            "early_stopping_rounds": given.early_stopping_rounds.to_string(),
            "threshold": given.threshold,
            "seed": given.seed.to_string(),
        },
    )
    whole = "FullyReplicated"
    step_args = trainer.train(
        input_data_config=[
            _channel(data, "train", whole if setting.session.local_mode else "ShardedByS3Key"),
            _channel(data, "validation", whole),
        ]
    )
    return TrainingStep(
        name="TrainChurnModel",
        step_args=step_args,
        cache_config=setting.cache,
        retry_policies=RETRIES,
    )


def evaluate_step(
    setting: Setting, data: ProcessingStep, training: TrainingStep
) -> tuple[ProcessingStep, PropertyFile]:
    """Return the step that judges the model on the test rows, and the report it writes."""
    output = Join(
        on="/",
        values=[
            f"{setting.prefix}/training",
            training.properties.TrainingJobName,
            "output/output.tar.gz",
        ],
    )
    step_args = _processor(setting, "evaluate").run(
        code=_script("evaluate.py"),
        inputs=[
            _input("model", training.properties.ModelArtifacts.S3ModelArtifacts),
            _input("test", output_of(data, "test")),
            _input("training", output),
        ],
        outputs=[_output(setting, "evaluate", name) for name in ("evaluation", "baseline")],
        arguments=["--training-output", f"{PROCESSING}/training"],
    )
    report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
    step = ProcessingStep(
        name="EvaluateChurnModel",
        step_args=step_args,
        property_files=[report],
        cache_config=setting.cache,
        retry_policies=RETRIES,
    )
    return step, report


def batch_step(setting: Setting, model_name: Any, *, instances: int) -> TransformStep:  # noqa: ANN401
    """Return the step that scores rows in batch with a model of the pipeline's.

    Their number is no parameter: the SDK (sagemaker-core 2.27) takes a whole number alone there.
    """
    given = setting.parameters
    transformer = Transformer(
        model_name=model_name,
        instance_count=instances,
        instance_type=given.transform_instance_type,
        # Said here, since local mode does not read the container's own /execution-parameters.
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=setting.of_execution("batch"),
        sagemaker_session=setting.session,
    )
    step_args = transformer.transform(
        data=given.batch_data, content_type=given.batch_content_type, split_type="Line"
    )
    return TransformStep(name="ScoreChurnBatch", step_args=step_args, retry_policies=RETRIES)


def output_of(step: ProcessingStep, name: str) -> Any:  # noqa: ANN401 - the SDK's
    """Return where a processing step's output lies, also where its result came from the cache."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _processor(setting: Setting, name: str) -> ScriptProcessor:
    return ScriptProcessor(
        image_uri=setting.parameters.image,
        command=["python3"],
        instance_type=setting.parameters.processing_instance_type,
        # One: the rows are dealt out, and the model judged, as a whole.
        instance_count=1,
        base_job_name=f"{setting.job_prefix}-{name}",
        role=setting.role,
        sagemaker_session=setting.session,
    )


def _script(name: str) -> str:
    # The SDK makes the digest that the script is stored under of its path, too. Relative to the
    # root, in which the commands are called, it is the same in every checkout, so that a build
    # in another folder does not miss the cache.
    return os.path.relpath(HERE / name)


def _input(name: str, uri: Any) -> ProcessingInput:  # noqa: ANN401 - the SDK's
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri,
            local_path=f"{PROCESSING}/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
        ),
    )


def _output(setting: Setting, step: str, name: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=setting.of_execution(step, name),
            local_path=f"{PROCESSING}/{name}",
            s3_upload_mode="EndOfJob",
        ),
    )


def _channel(data: ProcessingStep, name: str, distribution: str) -> InputData:
    return InputData(
        channel_name=name,
        data_source=S3DataSource(
            s3_data_type="S3Prefix",
            s3_uri=output_of(data, name),
            s3_data_distribution_type=distribution,
        ),
        content_type=PARQUET,
    )
