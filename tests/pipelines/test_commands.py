"""`run-pipeline` and `get-pipeline-definition`, called as AWS's template calls them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REGION, ROLE, Client, Program, Run, kwargs

pytestmark = pytest.mark.mlops
# As the build specification of AWS's model building project writes them.
TAGS = (
    '[{"Key":"sagemaker:project-name", "Value":"churn"}, '
    '{"Key":"sagemaker:project-id", "Value":"p-abc123"}]'
)


def as_the_template(program: Program, bucket: str, name: str) -> list[str]:
    """Return the call of the template's build specification."""
    arguments = kwargs(
        bucket, pipeline_name=name, model_package_group_name=name, base_job_prefix=name
    )
    return [
        *(program("run-pipeline"), "--module-name", "pipelines.pipeline", "--role-arn", ROLE),
        *("--tags", TAGS, "--kwargs", arguments),
    ]


def test_a_pipeline_is_made_tagged_and_started(
    run: Run, program: Program, bucket: str, client: Client
) -> None:
    """And updated by the next call, which adds no second one."""
    done = [run(*as_the_template(program, bucket, "churn-p-abc123")) for _ in range(2)]

    assert [each.returncode for each in done] == [0, 0], done[0].stderr + done[1].stderr
    sagemaker = client("sagemaker")
    found = sagemaker.describe_pipeline(PipelineName="churn-p-abc123")
    steps = [step["Name"] for step in json.loads(found["PipelineDefinition"])["Steps"]]
    assert steps == ["PreprocessChurnData", "TrainChurnModel", "EvaluateChurnModel", "CheckTheBar"]
    assert found["RoleArn"] == ROLE
    tags = sagemaker.list_tags(ResourceArn=found["PipelineArn"])["Tags"]
    assert {"Key": "sagemaker:project-id", "Value": "p-abc123"} in tags
    started = sagemaker.list_pipeline_executions(PipelineName="churn-p-abc123")
    assert len(started["PipelineExecutionSummaries"]) == 2
    assert re.search(
        rf"started arn:aws:sagemaker:{REGION}:\d+:pipeline/churn-p-abc123/", done[0].stdout
    )
    assert "Succeeded: " in done[0].stdout


def test_the_scripts_are_uploaded_with_it(
    run: Run, program: Program, bucket: str, client: Client
) -> None:
    """The jobs find the code that the definition names."""
    done = run(*as_the_template(program, bucket, "uploaded"), "--no-wait")

    assert done.returncode == 0, done.stderr
    listed = client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert sorted(Path(item["Key"]).name for item in listed) == ["evaluate.py", "preprocess.py"]
    found = client("sagemaker").describe_pipeline(PipelineName="uploaded")["PipelineDefinition"]
    assert all(f"s3://{bucket}/{item['Key']}" in found for item in listed)


def test_parameters_of_an_execution_are_passed_on(
    run: Run, program: Program, bucket: str, client: Client
) -> None:
    """By name, as SageMaker has them."""
    done = run(
        *as_the_template(program, bucket, "parameters"),
        *("--parameters", '{"NumRound": 50, "ModelApprovalStatus": "Approved"}', "--no-wait"),
    )

    assert done.returncode == 0, done.stderr
    [execution] = re.findall(r"started (\S+)", done.stdout)
    found = client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=execution)
    assert found["PipelineExecutionStatus"] == "Succeeded"


def test_the_definition_goes_to_a_file(
    run: Run, program: Program, bucket: str, tmp_path: Path
) -> None:
    """With the template's option, and without a word on stdout."""
    done = run(
        *(program("get-pipeline-definition"), "-n", "pipelines.pipeline"),
        *("-kwargs", kwargs(bucket), "-f", str(tmp_path / "definition.json")),
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert json.loads((tmp_path / "definition.json").read_text())["Version"] == "2020-12-01"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"--kwargs": "{region: eu}"}, "--kwargs '{region: eu}' is not JSON"),
        ({"--kwargs": "[]"}, "--kwargs '[]' is JSON, but not an object"),
        ({"--kwargs": "{}"}, "--kwargs lacks 'region'"),
        ({"--kwargs": '{"region": "eu-west-1", "buckett": "b"}'}, "takes no 'buckett'; it takes: "),
        ({"--kwargs": '{"region": "eu-west-1"}'}, "--kwargs: role is not given"),
        (
            {"--kwargs": '{"region": "eu-west-1", "role": "me", "default_bucket": "any"}'},
            "role is 'me'; expected the ARN of an IAM role",
        ),
        (
            {"--kwargs": kwargs("nowhere-to-be-found")},
            "--kwargs: there is no bucket nowhere-to-be-found; make it",
        ),
        (
            {"--kwargs": kwargs("any-bucket", use_spot=True, max_wait_seconds=60)},
            "max_wait_seconds 60 is below max_run_seconds 3600",
        ),
        ({"--module-name": "pipelines.abalone"}, "No module named 'pipelines.abalone'"),
        ({"--module-name": "json"}, "the module has no function get_pipeline"),
        ({"--tags": '{"team": "churn"}'}, '--tags \'{"team": "churn"}\' is JSON, but not a list'),
        ({"--tags": '["churn"]'}, "--tags has 'churn'; expected objects with Key and Value"),
        ({"--parameters": '{"Rounds": 3}'}, "the pipeline has no 'Rounds'; it has: InputDataUrl"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    run: Run, program: Program, bucket: str, changes: dict[str, str], named: str
) -> None:
    """What came, what was expected; exit code 1; no pipeline is made."""
    options = {
        "--module-name": "pipelines.pipeline",
        "--role-arn": ROLE,
        "--kwargs": kwargs(bucket, pipeline_name="mistaken"),
    } | changes

    done = run(program("run-pipeline"), *(word for pair in options.items() for word in pair))

    assert done.returncode == 1, done.stdout
    assert named in done.stderr
    assert done.stderr.splitlines()[-1].startswith("run-pipeline: ")
    assert "Traceback" not in done.stderr


def test_no_credentials_are_told(run: Run, program: Program, bucket: str) -> None:
    """With the ways to give some."""
    done = run(
        *as_the_template(program, bucket, "none"),
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
    )

    assert done.returncode == 1
    assert "run-pipeline: no AWS credentials were found; set AWS_PROFILE" in done.stderr


def test_a_bucket_is_not_made_of_a_mistyped_name(
    run: Run, program: Program, client: Client
) -> None:
    """As the SDK by itself would do."""
    run(*as_the_template(program, "mistyped-bucket", "mistyped"))

    names = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    assert "mistyped-bucket" not in names


def test_the_projects_tags_come_along(
    run: Run, program: Program, bucket: str, client: Client
) -> None:
    """They link the pipeline to its project; the caller's own win; a group stands for one."""
    sagemaker = client("sagemaker")
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName="as-a-project",
        Tags=[{"Key": "team", "Value": "a"}, {"Key": "owner", "Value": "b"}],
    )["ModelPackageGroupArn"]

    done = run(
        *(program("run-pipeline"), "--module-name", "pipelines.pipeline", "--role-arn", ROLE),
        *("--kwargs", kwargs(bucket, pipeline_name="tagged", sagemaker_project_arn=arn)),
        *("--tags", '[{"Key": "team", "Value": "own"}]', "--no-wait"),
    )

    assert done.returncode == 0, done.stderr
    made = sagemaker.describe_pipeline(PipelineName="tagged")["PipelineArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=made)["Tags"]}
    assert (tags["team"], tags["owner"]) == ("own", "b")


def test_a_project_that_is_not_there_is_told(run: Run, program: Program, bucket: str) -> None:
    """Its tags would be missing from the pipeline, and its people would not see it."""
    arn = f"arn:aws:sagemaker:{REGION}:123456789012:model-package-group/none"

    done = run(
        *(program("run-pipeline"), "--module-name", "pipelines.pipeline", "--role-arn", ROLE),
        *("--kwargs", kwargs(bucket, pipeline_name="orphan", sagemaker_project_arn=arn)),
    )

    assert done.returncode == 1
    assert f"run-pipeline: the tags of the project {arn} cannot be read" in done.stderr


def test_elsewhere_the_command_says_where_to_call_it(program: Program, tmp_path: Path) -> None:
    """The pipeline is in the repository, not in the package."""
    done = subprocess.run(
        [program("run-pipeline"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "call it in the root of a checkout of churn_daal" in done.stderr


def test_without_the_sdk_the_extra_is_named(run: Run, bucket: str) -> None:
    """The ordinary environment has none of it."""
    hidden = (
        "import sys; sys.modules['sagemaker'] = None; sys.path.insert(0, '.');"
        "from pipelines import run_pipeline; sys.exit(run_pipeline.main(sys.argv[1:]))"
    )
    done = run(
        *(sys.executable, "-c", hidden, "--module-name", "pipelines.pipeline"),
        *("--role-arn", ROLE, "--kwargs", kwargs(bucket)),
    )

    assert done.returncode == 1
    assert "pip install 'churn_daal[pipelines]'" in done.stderr
