"""The workflow of GitHub Actions, held to the build specs, the template and the Makefile."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

import yaml
from tests.container.drive import REPOSITORY

from .codebuild import SPECS, read, targets
from .template import load, project

pytestmark = pytest.mark.mlops

FILE = REPOSITORY / ".github/workflows/mlops.yml"
TEXT = FILE.read_text()
# Variable of the repository -> output of the stack; docs/cicd.md has the same table.
OUTPUTS = {
    "MLOPS_BUCKET": "DataBucketName",
    "MLOPS_JOBS_ROLE": "JobsRoleArn",
    "MLOPS_BUILD_ROLE": "ModelBuildRoleArn",
    "MLOPS_APPROVAL_ROLE": "ApprovalRoleArn",
    "MLOPS_DEPLOY_ROLE": "ModelDeployRoleArn",
    "MLOPS_TEST_ROLE": "IntegrationTestRoleArn",
    "MLOPS_STACKS_ROLE": "StacksRoleArn",
}
OWN = {"MLOPS_PROJECT", "MLOPS_REGION", "MLOPS_ACCOUNT", "MLOPS_LAMBDA_REPOSITORY"}
# Role variable -> role of the template; job -> the environment that its tokens name.
ROLES = {name: OUTPUTS[name].removesuffix("Arn") for name in OUTPUTS if name.endswith("_ROLE")}


def workflow() -> dict[Any, Any]:
    """Return the workflow; YAML 1.1 reads its key `on` as true."""
    read: dict[Any, Any] = yaml.safe_load(TEXT)
    return read


def steps(job: str) -> list[dict[str, Any]]:
    """Return a job's steps."""
    found: list[dict[str, Any]] = workflow()["jobs"][job]["steps"]
    return found


def test_it_has_the_flow_of_the_pipelines() -> None:
    """Build, approval of the model, staging with its test, approval of production."""
    jobs = workflow()["jobs"]

    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None, "approve": "build", "staging": "approve", "production": "staging",
    }  # fmt: skip
    assert {name: job.get("environment") for name, job in jobs.items()} == {
        "build": None, "approve": "model-approval", "staging": "staging",
        "production": "production",
    }  # fmt: skip
    ran = [step["run"] for step in steps("staging") if "run" in step]
    assert ran[-3:] == ["make stage-configs", "make release STAGE=staging", "make integration-test"]


def test_it_calls_what_the_build_specs_call() -> None:
    """The same targets, all of them in the Makefile."""
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert phony
    called = targets(
        "\n".join(step.get("run", "") for job in workflow()["jobs"] for step in steps(job))
    )
    specs = targets("\n".join(
        command for file in SPECS.values() for phase in read(file)["phases"].values()
        for command in phase["commands"]
    ))  # fmt: skip

    assert specs <= called
    assert called - set(phony[1].split()) == {".venv/.deploy"}
    assert called - specs == {"approve", "release"}


def test_there_is_no_long_lived_key() -> None:
    """Nothing is read from secrets; each job that asks AWS asks for a token of its own."""
    assert "secrets." not in TEXT
    assert not re.search(r"access.key|secret", TEXT, re.IGNORECASE)
    assert workflow()["permissions"] == {"contents": "read"}
    for job in workflow()["jobs"].values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}


def test_every_job_asks_for_a_role_whose_trust_names_it() -> None:
    """By branch without an environment, by environment with one (cicd/project.yaml)."""
    resources = project("github-actions")
    asked = 0
    for name, job in workflow()["jobs"].items():
        environment = job.get("environment")
        subject = f"environment:{environment}" if environment else "ref:refs/heads/main"
        for step in steps(name):
            if "configure-aws-credentials" in step.get("uses", ""):
                found = re.search(r"vars\.(\w+)", step["with"]["role-to-assume"])
                assert found
                role = resources[ROLES[found[1]]]["Properties"]
                [trust] = role["AssumeRolePolicyDocument"]["Statement"]
                subjects = trust["Condition"]["StringEquals"][
                    "token.actions.githubusercontent.com:sub"
                ]
                assert f"repo:shop/churn:{subject}" in (
                    [subjects] if isinstance(subjects, str) else subjects
                )
                longest = role.get("MaxSessionDuration", 3600)
                assert step["with"].get("role-duration-seconds", 3600) <= longest
                asked += 1
    assert asked == 5


def test_its_variables_are_outputs_of_the_stack() -> None:
    """And the workflow rests until the first of them is set."""
    used = set(re.findall(r"vars\.(\w+)", TEXT))

    assert used == OUTPUTS.keys() | OWN
    assert set(OUTPUTS.values()) <= load()["Outputs"].keys()
    assert "vars.MLOPS_PROJECT != ''" in workflow()["jobs"]["build"]["if"]
    assert "vars.MLOPS_PROJECT != ''" in workflow()["jobs"]["staging"]["if"]


def test_what_a_target_needs_is_in_its_jobs_environment() -> None:
    """Each variable that the template gives to the CodeBuild project of the same commands."""
    jobs, common = workflow()["jobs"], workflow()["env"]
    own = {"BASE_IMAGE", "PROJECT_ARN", "PROJECT_ID"}
    for job, name in (("build", "ModelBuild"), ("staging", "ModelDeploy")):
        given = project("connection")[name]["Properties"]["Environment"]["EnvironmentVariables"]
        needed = {each["Name"] for each in given} - own

        assert needed | {"TAG"} <= common.keys() | jobs[job]["env"].keys()
    assert "STACKS_ROLE" in jobs["staging"]["env"]
    assert "STACKS_ROLE" in jobs["production"]["env"]


def test_no_text_of_the_event_reaches_a_shell() -> None:
    """A branch's name in a `run` would be a way to run code; values go by the environment."""
    for job in workflow()["jobs"]:
        for step in steps(job):
            assert "${{" not in step.get("run", "")
