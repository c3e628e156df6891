"""Everything a deployment needs, looked at before anything is made."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from churn_daal.artifact import Manifest
from deploy import template as templates
from deploy.aws import Aws
from deploy.checks import bucket_fault, image_faults, stack_state
from deploy.errors import DeployError, NotReadyError
from deploy.parameters import problems_of
from deploy.registry import ModelPackage, latest_approved, package_of
from deploy.schema import request_model
from deploy.stage import Stage

# Amazon API Gateway quotas, "Model size".
MAX_MODEL_BYTES: Final = 400 * 1024


@dataclass(frozen=True)
class Wish:
    """What the command was asked for.

    Attributes
    ----------
    stage
        The stage's file.
    region, service, bucket
        Where; the first part of every name; where captured data goes.
    group, package
        One of them: the group whose newest approved package is taken, or a package by name.
    canary, shadow
        Packages of further variants, "" for none.
    function
        Address of the Lambda's image, "" for no REST API.
    settings
        Parameters over those of the stage's file.
    """

    stage: Stage
    region: str
    service: str
    bucket: str
    group: str = ""
    package: str = ""
    canary: str = ""
    shadow: str = ""
    function: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        """Name of the stack and of the endpoint."""
        return f"{self.service}-{self.stage.name}"


@dataclass(frozen=True)
class Plan:
    """A deployment that nothing is known to stand against.

    Attributes
    ----------
    stack
        Its name.
    exists
        Whether it is there and is updated.
    body
        The template's text.
    parameters
        Those given; the template has defaults for the rest.
    bucket
        Where a template goes that is too large for a call.
    stage
        For tags and policy.
    role
        Whose rights CloudFormation makes it with; "" for those of who asks.
    """

    stack: str
    exists: bool
    body: str
    parameters: Mapping[str, str]
    bucket: str
    stage: Stage
    role: str = ""


def plan(wish: Wish, aws: Aws) -> Plan:
    """Look at all that is needed; change nothing.

    Raises
    ------
    NotReadyError
        Naming everything that is not as it has to be.
    DeployError
        AWS cannot be asked: no credentials, no way there, no right to.
    """
    try:
        aws("sts").get_caller_identity()
        return _planned(wish, aws)
    except (ClientError, BotoCoreError) as error:
        raise DeployError(f"nothing was changed: AWS cannot be asked: {error}") from error


def _planned(wish: Wish, aws: Aws) -> Plan:
    problems: list[str] = []
    told = bucket_fault(aws, wish.bucket)
    if told:
        problems.append(told)
    exists, told = stack_state(aws, wish.stack)
    if told:
        problems.append(told)
    main = _package(aws, wish, wish.package, problems)
    others = {
        f"{name}ModelPackageArn": _package(aws, wish, arn, problems)
        for name, arn in (("Canary", wish.canary), ("Shadow", wish.shadow))
        if arn
    }
    if wish.function:
        problems += image_faults(aws, wish.function, "the Lambda's")
    request = _request(aws, main, others, problems) if main else None
    parameters: dict[str, str] = {
        **wish.stage.parameters,
        "ServiceName": wish.service,
        "DataBucket": wish.bucket,
        "LambdaImageUri": wish.function,
        **{name: package.arn for name, package in others.items() if package},
    }
    if main:
        parameters |= {
            "ModelPackageArn": main.arn,
            "ArtifactBucket": main.bucket,
            "ImageRepositoryArn": main.image.repository_arn(aws.partition),
        }
    source = templates.load()
    parameters |= wish.settings
    # What a package would have given is not missed once more where the package is at fault.
    given_by_package = {"ModelPackageArn", "ArtifactBucket", "ImageRepositoryArn"}
    absent = {f"parameter {name} has no value" for name in given_by_package if not main}
    problems += [
        problem
        for problem in problems_of(source, parameters)
        if not any(problem.startswith(start) for start in absent)
    ]
    body = templates.body(templates.filled(source, request))
    if not problems and len(body.encode()) <= templates.MAX_INLINE_BYTES:
        aws("cloudformation").validate_template(TemplateBody=body)
    if problems:
        raise NotReadyError(problems)
    return Plan(wish.stack, exists, body, parameters, wish.bucket, wish.stage)


def _package(aws: Aws, wish: Wish, arn: str, problems: list[str]) -> ModelPackage | None:
    try:
        package = package_of(aws("sagemaker"), arn or latest_approved(aws("sagemaker"), wish.group))
        problems += image_faults(aws, package.image.uri, f"{package.arn}'s")
    except DeployError as error:
        problems.append(str(error))
        return None
    fault = bucket_fault(aws, package.bucket)
    if fault:
        problems.append(f"the model of {package.arn}: {fault}")
        return None
    return package


def _request(
    aws: Aws,
    main: ModelPackage,
    others: Mapping[str, ModelPackage | None],
    problems: list[str],
) -> dict[str, Any] | None:
    """Return the schema of requests, once all variants are sure to read the same ones.

    None where the model was trained elsewhere, and nothing tells its columns.
    """
    manifest = _manifest(aws, main, problems)
    for package in filter(None, others.values()):
        other = _manifest(aws, package, problems)
        if manifest and other and manifest.schema.names != other.schema.names:
            problems.append(
                f"{package.arn} reads other columns than {main.arn}; variants of one endpoint "
                "get the same requests. Train both on the same columns"
            )
        if (package.bucket, package.image.repository) != (main.bucket, main.image.repository):
            problems.append(
                f"{package.arn} has its model in {package.bucket} and its image in "
                f"{package.image.repository}; expected {main.bucket} and {main.image.repository}, "
                f"those of {main.arn}, since the endpoint's role reads no others"
            )
    if manifest is None:
        return None
    request = request_model(manifest.schema)
    size = len(json.dumps(request).encode())
    if size > MAX_MODEL_BYTES:
        told = f"has {size} bytes, API Gateway takes {MAX_MODEL_BYTES}: the API validates no bodies"
        print(f"the schema of {main.arn} {told}", file=sys.stderr)
        return None
    return request


def _manifest(aws: Aws, package: ModelPackage, problems: list[str]) -> Manifest | None:
    try:
        manifest = package.manifest(aws("s3"))
    except DeployError as error:
        problems.append(str(error))
        return None
    if manifest is None:
        told = "was trained elsewhere, so its columns are not known: the API validates no bodies"
        print(f"{package.arn} {told}", file=sys.stderr)
    return manifest
