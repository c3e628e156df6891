"""Model packages: the latest approved one of a group, and whether a package can be deployed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from churn_daal.artifact import Manifest
from deploy.archive import read_manifest
from deploy.errors import DeployError

_ECR: Final = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/"
    r"(?P<repository>[^:@]+)(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_S3: Final = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)")


@dataclass(frozen=True)
class Image:
    """An image in ECR."""

    uri: str
    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def of(cls, uri: str) -> Image:
        """Read an address.

        Raises
        ------
        DeployError
            It is no address in ECR.
        """
        found = _ECR.fullmatch(uri)
        if not found:
            raise DeployError(
                f"image {uri!r} is not in ECR; expected "
                "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG. Push it there: make push"
            )
        parts = found.groupdict()
        return cls(uri, **{k: parts[k] for k in ("account", "region", "repository")},
                   tag=parts["tag"], digest=parts["digest"])  # fmt: skip

    def repository_arn(self, partition: str) -> str:
        """Return the name IAM knows its repository by."""
        return f"arn:{partition}:ecr:{self.region}:{self.account}:repository/{self.repository}"

    def missing(self, ecr: Any) -> str | None:  # noqa: ANN401 - boto3's clients have no types
        """Return why ECR does not have it; None where it does, or where one may not ask."""
        name = {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}
        try:
            ecr.describe_images(
                registryId=self.account, repositoryName=self.repository, imageIds=[name]
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in {"RepositoryNotFoundException", "ImageNotFoundException"}:
                what = "repository" if code.startswith("Repo") else "image"
                return (
                    f"ECR has no such {what}: {self.uri}. Push it: make push, or name another one"
                )
            if code != "AccessDeniedException":  # of another account's, which may yet be pulled
                raise
        return None


@dataclass(frozen=True)
class ModelPackage:
    """A version of a model in the registry.

    Attributes
    ----------
    arn
        Its name.
    image
        What serves it.
    bucket, key
        Where its model.tar.gz lies.
    """

    arn: str
    image: Image
    bucket: str
    key: str

    def manifest(self, s3: Any) -> Manifest | None:  # noqa: ANN401 - as above
        """Read the model's manifest from S3, as far as the archive has to be read for it.

        Returns
        -------
        None of a model that was trained elsewhere.

        Raises
        ------
        DeployError
            There is no such object, or the archive is damaged.
        """
        source = f"s3://{self.bucket}/{self.key}"
        try:
            answer = s3.get_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            raise DeployError(
                f"{source} of {self.arn} cannot be read ({error.response['Error']['Code']}); the "
                "package's model has to be there when the endpoint starts"
            ) from None
        with closing(answer["Body"]) as body:
            return read_manifest(body, source)


def packages_of(sagemaker: Any, group: str) -> list[Mapping[str, Any]]:  # noqa: ANN401 - as above
    """Return what the registry lists of a group's packages, the newest first.

    Raises
    ------
    DeployError
        There is no such group.
    """
    pages = sagemaker.get_paginator("list_model_packages")
    try:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        return [
            package
            for page in pages.paginate(
                ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
            )
            for package in page["ModelPackageSummaryList"]
        ]
    except ClientError as error:
        raise DeployError(
            f"model package group {group!r} cannot be read: {error.response['Error']['Message']}"
        ) from None


def latest_approved(sagemaker: Any, group: str) -> str:  # noqa: ANN401 - as above
    """Return the name of a group's newest approved package.

    Raises
    ------
    DeployError
        There is no such group, or nothing in it is approved.
    """
    found = packages_of(sagemaker, group)
    for package in found:
        if package.get("ModelApprovalStatus") == "Approved":
            return str(package["ModelPackageArn"])
    waiting = sum(
        package.get("ModelApprovalStatus") == "PendingManualApproval" for package in found
    )
    raise DeployError(
        f"group {group!r} has no approved model package ({len(found)} packages, {waiting} wait "
        "for approval). Approve one: aws sagemaker update-model-package "
        "--model-approval-status Approved --model-package-arn ARN"
    )


def package_of(sagemaker: Any, arn: str) -> ModelPackage:  # noqa: ANN401 - as above
    """Return a package that can be deployed.

    Raises
    ------
    DeployError
        There is no such package, it is not approved, or it lacks an image in ECR or a model on S3.
    """
    try:
        told = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        raise DeployError(
            f"model package {arn} cannot be read: {error.response['Error']['Message']}"
        ) from None
    status = told.get("ModelApprovalStatus")
    if status != "Approved":
        raise DeployError(
            f"model package {arn} is {status or 'without an approval'}; expected Approved. "
            "Approve it, or name another one: aws sagemaker update-model-package "
            f"--model-approval-status Approved --model-package-arn {arn}"
        )
    containers = (told.get("InferenceSpecification") or {}).get("Containers") or []
    if len(containers) != 1:
        raise DeployError(
            f"model package {arn} has {len(containers)} containers; expected one, with an image "
            "and a model. Register it with an InferenceSpecification"
        )
    image, model = containers[0].get("Image"), containers[0].get("ModelDataUrl") or ""
    if not image:
        raise DeployError(
            f"model package {arn} has no image; expected the ECR address of this toolkit's. "
            "Register it again with Containers[0].Image"
        )
    place = _S3.fullmatch(model)
    if not place:
        raise DeployError(
            f"model package {arn} has its model at {model!r}; expected s3://BUCKET/KEY. Register "
            "it again with Containers[0].ModelDataUrl"
        )
    return ModelPackage(arn, Image.of(image), place["bucket"], place["key"])
