"""docs/cicd.md, held to the template, the Makefile and the services' own models."""

from __future__ import annotations

import json
import re

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

import boto3
from botocore.validate import ParamValidator
from deploy.parameters import problems_of
from tests.container.drive import REPOSITORY

from .conftest import REGION
from .template import load
from .test_workflow import OUTPUTS, OWN

pytestmark = pytest.mark.mlops

PAGE = (REPOSITORY / "docs/cicd.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading or a line, but for its head."""
    table = re.search(r"(?:^\|.*\n)+", PAGE[PAGE.index(heading) :], re.MULTILINE)
    assert table
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    """Return what a cell has in backticks."""
    return re.findall(r"`([\w.-]+)`", cell)


def test_every_parameter_has_its_row_and_default() -> None:
    """And no row is of a parameter that is gone."""
    parameters = load()["Parameters"]
    told = {name for row in rows("| parameter | default | is |") for name in names(row[0])}
    assert told == parameters.keys()
    for cells in rows("| parameter | default | is |"):
        for name, default in zip(names(cells[0]), cells[1].split(", "), strict=False):
            real = str(parameters[name].get("Default", ""))
            if default and not default[0].isupper():
                assert default == (real or "none"), name


@pytest.mark.parametrize("provider", ["connection", "github-actions"])
def test_the_commands_that_make_a_project_are_right(provider: str) -> None:
    """Their parameters pass the template's rules, with what they leave open put in."""
    blocks = re.findall(r"aws cloudformation deploy (.*?)(?:\nmake|\n```)", PAGE, re.DOTALL)
    [block] = [each for each in blocks if ("github-actions" in each) == (provider != "connection")]
    given = dict(re.findall(r"(\w+)=(\S+)", block))
    if provider != "connection":
        given["GitHubOidcProviderArn"] = "arn:aws:iam::123456789012:oidc-provider/t"

    assert problems_of(load(), given) == []
    assert "--template-file cicd/project.yaml" in block
    assert "CAPABILITY_IAM" in block


def test_a_sagemaker_project_is_asked_for_as_sagemaker_takes_it() -> None:
    """By the model of CreateProject, and with parameters of the template."""
    found = re.search(r"--template-providers '(.*)'", PAGE)
    assert found
    providers = json.loads(found[1])
    model = boto3.client("sagemaker", region_name=REGION).meta.service_model
    shape = model.operation_model("CreateProject").input_shape
    request = {"ProjectName": "churn", "TemplateProviders": providers}

    assert ParamValidator().validate(request, shape).generate_report() == ""
    keys = {each["Key"] for each in providers[0]["CfnTemplateProvider"]["Parameters"]}
    assert keys <= load()["Parameters"].keys()


def test_every_variable_of_the_workflow_has_its_row() -> None:
    """With the output of the stack that it takes."""
    table = rows("| variable | value |")

    assert {name for row in table for name in names(row[0])} == OUTPUTS.keys() | OWN
    for variables, value in table:
        for name, output in zip(names(variables), names(value), strict=False):
            assert OUTPUTS.get(name, output) == output


def test_every_role_has_its_row() -> None:
    """By its name in the template."""
    roles = {k for k, r in load()["Resources"].items() if r["Type"] == "AWS::IAM::Role"}

    assert {name for row in rows("| role | for | may |") for name in names(row[0])} == roles


def test_the_variables_of_a_target_are_read_by_it() -> None:
    """In its recipe or in what that is made of."""
    makefile = (REPOSITORY / "Makefile").read_text()
    for target, text in rows("| target | variables |"):
        [name] = names(target)
        assert re.search(rf"^{name}:", makefile, re.MULTILINE)
        for variable in names(text):
            if variable.isupper():
                assert f"$({variable})" in makefile, variable
