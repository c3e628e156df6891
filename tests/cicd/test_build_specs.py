"""The build specs: read, held to the project and the Makefile, and run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from tests.container.drive import REPOSITORY, docker
from tests.deploy.sagemaker_runtime import Runtime

from .codebuild import FOLDER, GIVEN, SPECS, TAG, build, checkout, read, targets, used
from .conftest import ACCOUNT, REGION, SERVICE, Project
from .template import KINDS, project

pytestmark = pytest.mark.mlops

JOBS_ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
MODULES = ("approve", "build", "integration_test", "release")


def of_project(name: str, kind: str = "two repositories") -> dict[str, str]:
    """Return the variables that the template gives to a CodeBuild project."""
    given = project(kind)[name]["Properties"]["Environment"]["EnvironmentVariables"]
    return {each["Name"]: str(each["Value"]) for each in given}


def test_every_build_spec_belongs_to_a_project() -> None:
    """By the path the template has it under, and none is left over."""
    resources = project("connection")
    named = {name: resources[name]["Properties"]["Source"]["BuildSpec"] for name in SPECS}

    assert named == {name: f"cicd/{file}" for name, file in SPECS.items()}
    assert {path.name for path in FOLDER.glob("*.yml")} == set(SPECS.values())


@pytest.mark.parametrize("name", SPECS)
def test_a_build_spec_has_the_shape_codebuild_reads(name: str) -> None:
    """Of its reference: version, phases and their keys; version 0.2 runs all in one shell."""
    spec = read(SPECS[name])

    assert spec["version"] == 0.2
    assert spec.keys() <= {"version", "env", "phases", "artifacts"}
    assert spec["env"] == {"shell": "bash"}
    assert list(spec["phases"]) == ["install", "build"]
    for phase in spec["phases"].values():
        assert phase.keys() <= {"runtime-versions", "commands"}
        assert all(isinstance(command, str) for command in phase["commands"])
    assert spec["phases"]["install"]["runtime-versions"] == {"python": "3.13"}


@pytest.mark.parametrize("name", SPECS)
def test_what_a_build_spec_calls_is_there(name: str) -> None:
    """Each target stands in the Makefile, or is a stamp that a rule of it makes."""
    text = (FOLDER / SPECS[name]).read_text()
    makefile = (REPOSITORY / "Makefile").read_text()
    found = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert found

    called = targets("\n".join(line for line in text.splitlines() if "#" not in line))

    assert called
    for target in called:
        stamp = re.fullmatch(r"\.venv/\.(\w+)", target)
        there = (REPOSITORY / f"locks/{stamp[1]}.txt").exists() if stamp else False
        assert there or target in found[1].split(), target


@pytest.mark.parametrize("kind", ["connection", "two repositories", "no api"])
@pytest.mark.parametrize("name", SPECS)
def test_the_variables_of_a_build_spec_are_defined(name: str, kind: str) -> None:
    """By the template, by CodeBuild, or by the spec; the template gives none in vain."""
    spec, given = read(SPECS[name]), of_project(name, kind)
    artifact = {f"CODEBUILD_SRC_DIR_{each}" for each in ("Stages",) if name == "IntegrationTest"}
    makefile = (REPOSITORY / "Makefile").read_text()

    assert used(spec) <= given.keys() | GIVEN.keys() | artifact
    # The SDK reads the one, a command of the spec itself asks for the other.
    for variable in given.keys() - used(spec) - {"SAGEMAKER_VALIDATE_ROLE", "LAMBDA_REPOSITORY"}:
        assert re.search(rf"\$\({variable}\)", makefile), variable


def test_settings_that_can_be_empty_are_not_given_empty() -> None:
    """A variable is there with a value, or not there."""
    for kind in KINDS:
        if kind != "github-actions":
            for name in SPECS:
                assert all(of_project(name, kind).values())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_tells_its_options(module: str) -> None:
    """`--help`, as the specs' targets call it."""
    done = subprocess.run(
        [sys.executable, "-m", f"cicd.{module}", "--help"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "--region" in done.stdout


def push_by_hand(given: Project, repository: str) -> None:
    """Put into ECR what `make push` would have, which only prints its commands here."""
    ecr = given.aws.client("ecr")
    [there] = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "1"}])["images"]
    ecr.put_image(repositoryName=repository, imageManifest=there["imageManifest"], imageTag=TAG)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a checkout of its own, as CodeBuild has one."""
    return checkout(tmp_path / "source")


@pytest.mark.container
def test_the_deploy_spec_and_the_test_spec_run(
    waiting: Project, endpoint: Runtime, source: Path
) -> None:
    """With nothing in the environment but what the project and CodeBuild give.

    The function's image is built; its push is shown (DRY_RUN), and made by hand.
    """
    assert waiting.run("approve", "--package", waiting.package, "--region", REGION).returncode == 0
    push_by_hand(waiting, "churn-lambda")
    variables = of_project("ModelDeploy") | {
        "BUCKET": waiting.bucket, "LAMBDA_REPOSITORY": "churn-lambda",
        "BASE_IMAGE": "python:3.13-slim-trixie", "DRY_RUN": "1",
    }  # fmt: skip
    try:
        configured = build("ModelDeploy", source, variables)
        assert docker("image", "inspect", f"churn-lambda:{TAG}").returncode == 0
    finally:
        docker("rmi", "--force", f"churn-lambda:{TAG}")

    assert configured.returncode == 0, configured.stdout + configured.stderr
    registry = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    assert f"docker push {registry}/churn-lambda:{TAG}" in configured.stdout
    artifacts = read(SPECS["ModelDeploy"])["artifacts"]
    stages = source / artifacts["base-directory"]
    assert sorted(path.name for path in stages.iterdir()) == sorted(artifacts["files"])
    text = (stages / "staging.json").read_text()
    assert f'"LambdaImageUri": "{registry}/churn-lambda:{TAG}"' in text
    assert '"sagemaker:project-id": "p-abc123"' in text

    released = waiting.release(stages / "staging.json")
    assert released.returncode == 0, released.stderr
    folder = {"CODEBUILD_SRC_DIR_Stages": str(stages)}
    tested = build("IntegrationTest", source, of_project("IntegrationTest") | folder)

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "answered as the package's booster does" in tested.stdout
    assert len(endpoint.seen) == 3


@pytest.mark.container
def test_a_deploy_without_an_approved_package_ends_the_build(
    waiting: Project, source: Path
) -> None:
    """The build fails, says why, and there is no artifact for a stage to be deployed from."""
    variables = of_project("ModelDeploy", "no api") | {"BUCKET": waiting.bucket}

    done = build("ModelDeploy", source, variables)

    assert done.returncode != 0
    assert "has no approved model package (1 packages, 1 wait for approval)" in done.stderr
    assert not (source / "build/deploy").exists()


def _has_sdk() -> bool:
    return (Path(sys.prefix) / "bin/run-pipeline").exists()


@pytest.mark.skipif(not _has_sdk(), reason="AWS's SDK is not in this environment: make mlops-test")
@pytest.mark.container
def test_the_build_spec_runs(waiting: Project, engine: None, source: Path) -> None:
    """The image is built, its push shown, the pipeline made with it and run, on moto."""
    assert engine is None
    variables = of_project("ModelBuild", "connection") | {
        "BUCKET": waiting.bucket, "ROLE": JOBS_ROLE, "REPOSITORY": SERVICE,
        "BASE_IMAGE": "python:3.13-slim-trixie", "DRY_RUN": "1",
    }  # fmt: skip
    try:
        done = build("ModelBuild", source, variables)
        assert docker("image", "inspect", f"{SERVICE}:{TAG}").returncode == 0
    finally:
        docker("rmi", "--force", f"{SERVICE}:{TAG}")

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{SERVICE}:{TAG}"
    assert f"docker push {image}" in done.stdout
    sagemaker = waiting.aws.client("sagemaker")
    found: Any = sagemaker.describe_pipeline(PipelineName=SERVICE)
    assert found["RoleArn"] == JOBS_ROLE
    definition = found["PipelineDefinition"]
    assert f'"DefaultValue": "{image}"' in definition
    assert f"s3://{waiting.bucket}/{SERVICE}" in definition
    assert f'"ModelPackageGroupName": "{SERVICE}"' in definition
    ran = sagemaker.list_pipeline_executions(PipelineName=SERVICE)["PipelineExecutionSummaries"]
    assert [each["PipelineExecutionStatus"] for each in ran] == ["Succeeded"]
    assert "Succeeded: " in done.stdout
