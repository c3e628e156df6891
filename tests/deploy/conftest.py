"""AWS's stand-ins, a model's archive, and what is registered of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

# What the chain is made of is built and trained as for the tests of the image.
from tests.container import conftest as of_the_image

engine, image, rows = of_the_image.engine, of_the_image.image, of_the_image.rows
model, train, trained = of_the_image.model, of_the_image.train, of_the_image.trained

REGION, ACCOUNT = "eu-west-1", "123456789012"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
# As ECR takes one; moto asks for no layers.
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"mediaType": "application/json", "size": 1, "digest": f"sha256:{0:064}"},
    "layers": [],
}


@pytest.fixture(scope="session")
def archive(churn_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the churn model as SageMaker packs it."""
    return pack(churn_model, tmp_path_factory.mktemp("archive") / "model.tar.gz")


def pack(model: Path, file: Path) -> Path:
    """Pack a model folder into model.tar.gz."""
    with tarfile.open(file, "w:gz") as packed:
        packed.add(model, ".")
    return file


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Keep botocore's models from being parsed by each new session: a second of each command."""
    from botocore.loaders import JSONFileLoader  # noqa: PLC0415 - as below

    read = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: read(path))
        yield


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Return the address of a moto server of this session's own."""
    pytest.importorskip("moto", reason="moto is not installed: make mlops-test")
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        try:
            found = None
            while found is None:
                line = server.stderr.readline()
                assert line, "moto's server ended before it listened"
                found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            # What it goes on to print has to go somewhere.
            drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
            yield found[1]
        finally:
            server.terminate()
            server.wait()
            drain.wait()


@pytest.fixture
def aws(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Return an empty account behind AWS_ENDPOINT_URL, with what a deployment needs in it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    settings = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with urlopen(Request(f"{moto_url}/moto-api/reset", method="POST")) as answer:  # noqa: S310
        assert answer.status == 200
    return Registry()


class Registry:
    """An account with buckets, images and model packages, made as they are asked for."""

    def client(self, service: str, region: str = REGION) -> Any:  # noqa: ANN401
        """Return a client of a service."""
        return _client(os.environ["AWS_ENDPOINT_URL"], service, region)

    def bucket(self, name: str, region: str = REGION) -> str:
        """Make a bucket."""
        where = {"LocationConstraint": region}
        self.client("s3", region).create_bucket(Bucket=name, CreateBucketConfiguration=where)
        return name

    def image(self, name: str) -> str:
        """Make a repository with an image; return its address."""
        ecr = self.client("ecr")
        ecr.create_repository(repositoryName=name)
        ecr.put_image(repositoryName=name, imageManifest=json.dumps(MANIFEST), imageTag="1")
        return f"{REGISTRY}/{name}:1"

    def package(
        self,
        group: str,
        model: Path,
        *,
        bucket: str,
        image: str | None,
        status: str = "Approved",
        key: str = "models/model.tar.gz",
    ) -> str:
        """Register a model, its archive in a bucket; return the package's name."""
        sagemaker = self.client("sagemaker")
        groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        if group not in [known["ModelPackageGroupName"] for known in groups]:
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
        self.client("s3").upload_file(str(model), bucket, key)
        container = {"ModelDataUrl": f"s3://{bucket}/{key}"} | ({"Image": image} if image else {})
        types = ["text/csv", "application/json"]
        made = sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": types,
                "SupportedResponseMIMETypes": types,
            },
        )
        return str(made["ModelPackageArn"])


# Making one takes longer than most of what it is asked.
@cache
def _client(url: str, service: str, region: str) -> Any:  # noqa: ANN401
    import boto3  # noqa: PLC0415 - not where these tests are deselected

    return boto3.client(service, region_name=region, endpoint_url=url)
