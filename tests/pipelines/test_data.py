"""`make data` puts the data where the pipeline looks, or says why it cannot."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from churn_daal.data import churn_csv
from pipelines.locations import DATA_KEY, data_url, image_uri

from .conftest import REGION, ROOT, Client, Run

pytestmark = pytest.mark.mlops


@pytest.fixture
def make_data(run: Run) -> Run:
    """Return the function that calls `make data` in the environment of these tests."""
    # What it would install is there already, as this environment is the tests' own.
    ready = ("-o", ".venv-mlops/.runtime", "-o", ".venv-mlops/.made")

    def call(*variables: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        return run("make", "-s", "VENV=.venv-mlops", *ready, "data", *variables, **changes)

    return call


def test_the_data_lies_where_the_pipeline_looks(
    make_data: Run, bucket: str, client: Client
) -> None:
    """The same bytes, under the address that is printed."""
    done = make_data(f"BUCKET={bucket}", f"REGION={REGION}")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == data_url(bucket)
    stored = client("s3").get_object(Bucket=bucket, Key=DATA_KEY)
    assert stored["Body"].read() == churn_csv().read_bytes()


def test_a_file_of_your_own_takes_its_place(
    make_data: Run, bucket: str, client: Client, tmp_path: Path
) -> None:
    """Any CSV with the same columns."""
    own = tmp_path / "own data.csv"
    own.write_text("a,Churn?\n1,True.\n")

    done = make_data(f"BUCKET=s3://{bucket}/", f"FILE={own}")

    assert done.returncode == 0, done.stderr
    assert client("s3").get_object(Bucket=bucket, Key=DATA_KEY)["Body"].read() == own.read_bytes()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ([], "BUCKET=: '' is no bucket's name"),
        (["BUCKET=My_Bucket"], "BUCKET=My_Bucket: 'My_Bucket' is no bucket's name"),
        (
            ["BUCKET=nowhere-to-be-found"],
            "BUCKET=nowhere-to-be-found: there is no bucket nowhere-to-be-found; make it",
        ),
        (["BUCKET=nowhere-to-be-found", "FILE=/none.csv"], "there is no file /none.csv"),
    ],
)
def test_a_mistake_is_told(make_data: Run, variables: list[str], named: str) -> None:
    """One line, not a traceback, and make fails."""
    done = make_data(*variables)

    assert done.returncode != 0
    assert f"make data: {named}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bucket_of_another_region_is_refused(make_data: Run, client: Client, bucket: str) -> None:
    """SageMaker could not read it, and would say so an hour later."""
    done = make_data(f"BUCKET={bucket}", "REGION=us-west-2")

    assert done.returncode != 0
    assert f"the bucket {bucket} is in {REGION}, but the region is us-west-2" in done.stderr
    assert "Contents" not in client("s3").list_objects_v2(Bucket=bucket)


def test_no_credentials_are_told(make_data: Run, bucket: str) -> None:
    """With the ways to give some."""
    done = make_data(f"BUCKET={bucket}", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)

    assert done.returncode != 0
    assert "make data: no AWS credentials were found" in done.stderr


def test_nobody_there_is_told(make_data: Run) -> None:
    """A closed port, as without a network."""
    done = make_data("BUCKET=any-bucket", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert done.returncode != 0
    assert "make data: AWS could not be asked" in done.stderr


@pytest.mark.parametrize(
    ("role", "region", "expected"),
    [
        ("arn:aws:iam::1:role/r", "eu-west-1", "1.dkr.ecr.eu-west-1.amazonaws.com"),
        ("arn:aws-cn:iam::1:role/r", "cn-north-1", "1.dkr.ecr.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_image_is_of_the_roles_account(role: str, region: str, expected: str) -> None:
    """No account is written anywhere; the role has it."""
    assert image_uri(region, role) == f"{expected}/churn-daal:latest"


def test_make_data_is_in_help() -> None:
    """With what it takes."""
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "make data " in done.stdout
