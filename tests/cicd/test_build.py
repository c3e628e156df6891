"""`python -m cicd.build`: the approved package becomes a template and a file for each stage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed: make mlops-test")

from cicd.build import write
from deploy.errors import DeployError
from deploy.parameters import problems_of
from deploy.registry import latest_approved
from deploy.stage import FOLDER, load_stage

from deploy import template as templates

from .conftest import ACCOUNT, REGION, SERVICE, Command, Project

pytestmark = pytest.mark.mlops


def written(folder: Path, stage: str) -> dict[str, Any]:
    """Return a stage's file."""
    document: dict[str, Any] = json.loads((folder / f"{stage}.json").read_text())
    return document


def test_every_stage_gets_the_approved_package_with_what_it_has_of_its_own(
    project: Project, tmp_path: Path
) -> None:
    """In the shape of a template configuration: Parameters, Tags, StackPolicy, all of it texts."""
    tags = ("--tag", "sagemaker:project-name=churn", "--tag", "sagemaker:project-id=p-1")

    done = project.configure(tmp_path, *tags)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str(tmp_path / name) for name in ("template.json", "staging.json", "production.json")
    ]
    template = json.loads((tmp_path / "template.json").read_text())
    for name in ("staging", "production"):
        document, own = written(tmp_path, name), load_stage(name)
        assert problems_of(template, document["Parameters"]) == []
        assert own.parameters.items() <= document["Parameters"].items()
        assert document["Parameters"]["ModelPackageArn"] == project.package
        assert document["Parameters"]["LambdaImageUri"] == project.function
        assert document["Tags"] == {
            "stage": name, "sagemaker:project-name": "churn", "sagemaker:project-id": "p-1",
        }  # fmt: skip
        assert document.get("StackPolicy") == own.policy
    # The model's own schema is in the template, so that the API refuses what it cannot read.
    assert "Day Mins" in (tmp_path / "template.json").read_text()


def test_the_newest_approved_package_is_found_on_any_page(project: Project, tmp_path: Path) -> None:
    """Behind 105 newer ones that were rejected or still wait; a page has 100 at most."""
    newest = project.register("Approved")
    sagemaker = project.aws.client("sagemaker")
    told = sagemaker.describe_model_package(ModelPackageName=newest)
    for number in range(105):
        sagemaker.create_model_package(
            ModelPackageGroupName=SERVICE,
            ModelApprovalStatus=("PendingManualApproval", "Rejected")[number % 2],
            InferenceSpecification=told["InferenceSpecification"],
        )
    first = sagemaker.list_model_packages(
        ModelPackageGroupName=SERVICE, SortBy="CreationTime", SortOrder="Descending"
    )
    assert "NextToken" in first

    done = project.configure(tmp_path)

    assert done.returncode == 0, done.stderr
    assert newest != project.package
    assert written(tmp_path, "staging")["Parameters"]["ModelPackageArn"] == newest
    assert latest_approved(sagemaker, SERVICE) == newest


def test_an_approval_withdrawn_gives_the_one_before(project: Project, tmp_path: Path) -> None:
    """By rejecting what was approved, a deployment goes back."""
    newest = project.register("Approved")
    sagemaker = project.aws.client("sagemaker")
    sagemaker.update_model_package(ModelPackageArn=newest, ModelApprovalStatus="Rejected")

    done = project.configure(tmp_path)

    assert done.returncode == 0, done.stderr
    assert written(tmp_path, "production")["Parameters"]["ModelPackageArn"] == project.package


@pytest.mark.parametrize(
    ("instead", "named"),
    [
        ({"group": "chrun"}, "model package group 'chrun' cannot be read"),
        ({"group": "chrun"}, f"in region {REGION}"),
        ({"region": "eu-central-1"}, "in region eu-central-1"),
        ({"region": "eu-west-11"}, "did you mean eu-west-1?"),
        ({"bucket": "absent"}, "bucket 'absent' does not exist"),
        ({"service": "Churn_1"}, "ServiceName"),
        ({"lambda_image": "function:1"}, "is not in ECR"),
        ({"lambda_image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/no:1"}, "make push"),
        ({"tag": "project"}, "--tag has 'project'; expected KEY=VALUE"),
        ({"stages": "qa"}, "stage 'qa' is not configured; configured are: production, staging"),
    ],
)
def test_what_is_asked_for_wrongly_is_named_and_nothing_is_written(
    project: Project, tmp_path: Path, instead: dict[str, str], named: str
) -> None:
    """One text on the error output, exit status 1."""
    output = tmp_path / "out"

    done = project.configure(output, **instead)

    assert done.returncode == 1
    assert done.stderr.startswith("cicd.build: ")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not output.exists()


def test_a_package_that_cannot_be_served_is_refused(project: Project, tmp_path: Path) -> None:
    """Without an image, with an image ECR has not, with a model S3 has not: each told once."""
    aws, sagemaker = project.aws, project.aws.client("sagemaker")
    cases = {
        "no-image": (None, "models/a.tar.gz", "has no image"),
        "no-such-image": (project.image[:-1] + "2", "models/b.tar.gz", "ECR has no such image"),
        "no-model": (project.image, "models/c.tar.gz", "cannot be read (NoSuchKey)"),
    }
    for group, (image, key, named) in cases.items():
        aws.package(group, project.archive, bucket=project.bucket, image=image, key=key)
        if group == "no-model":
            aws.client("s3").delete_object(Bucket=project.bucket, Key=key)

        done = project.configure(tmp_path / group, group=group)

        assert (done.returncode, done.stderr.count(named)) == (1, 1), done.stderr
        assert not (tmp_path / group).exists()
    sagemaker.create_model_package_group(ModelPackageGroupName="empty")
    done = project.configure(tmp_path / "empty", group="empty")
    assert "no approved model package (0 packages, 0 wait" in done.stderr


def test_a_stages_file_is_missing_or_wrong(project: Project, tmp_path: Path) -> None:
    """All that is wrong in any stage is told at once, and no stage's file is written."""
    stages = tmp_path / "stages"
    shutil.copytree(FOLDER, stages)
    for name, key in (("staging", "InstanceTypo"), ("production", "UpdatePolicies")):
        document = json.loads((stages / f"{name}.json").read_text())
        document["Parameters"][key] = "x"
        (stages / f"{name}.json").write_text(json.dumps(document))

    done = project.configure(tmp_path / "out", "--stages-folder", str(stages))

    assert done.returncode == 1
    assert "InstanceTypo is none of the template's; did you mean InstanceType?" in done.stderr
    assert "UpdatePolicies is none of the template's; did you mean UpdatePolicy?" in done.stderr
    (stages / "production.json").unlink()
    done = project.configure(tmp_path / "out", "--stages-folder", str(stages))
    assert "stage 'production' is not configured; configured are: staging" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_endpoint_of_somebody_elses_is_not_taken_over(project: Project, tmp_path: Path) -> None:
    """A stage whose endpoint somebody else made is refused before anything is configured."""
    sagemaker = project.aws.client("sagemaker")
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn=f"arn:aws:iam::{'1' * 12}:role/r", PrimaryContainer={}
    )
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1,
               "InstanceType": "ml.m5.large"}  # fmt: skip
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="churn-production", EndpointConfigName="c")

    done = project.configure(tmp_path)

    assert done.returncode == 1
    assert "an endpoint churn-production is there that no stack of this name made" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_credentials_it_says_where_to_get_some(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither keys, nor a profile, nor a role."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    done = project.configure(tmp_path / "out")

    assert done.returncode == 1
    assert "no AWS credentials were found" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def refusing_sts() -> Iterator[ThreadingHTTPServer]:
    """Return a server that refuses as STS does, with the code in `refusal`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            code: str = self.server.refusal  # type: ignore[attr-defined]
            body = (
                '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>'
                f"Sender</Type><Code>{code}</Code><Message>The security token included in the "
                "request is expired</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            ).encode()
            self.send_response(403)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "refusal",
    [
        ("ExpiredToken", "credentials have expired"),
        ("InvalidClientTokenId", "AWS knows no such access key"),
        ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY and the date"),
        ("AccessDenied", "AWS refuses these credentials"),
    ],
)
def test_credentials_that_aws_refuses_are_told_apart(
    project: Project,
    tmp_path: Path,
    refusing_sts: ThreadingHTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    refusal: tuple[str, str],
) -> None:
    """Expired ones above all, since a build that waits outlives them."""
    code, named = refusal
    refusing_sts.refusal = code  # type: ignore[attr-defined]
    host, port = refusing_sts.server_address[:2]
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://{host!s}:{port}")

    done = project.configure(tmp_path / "out")

    assert done.returncode == 1
    assert named in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_region_that_cannot_be_reached_is_told(
    command: Command, project: Project, tmp_path: Path
) -> None:
    """No way to AWS is neither a traceback nor a wait without end."""
    given = ("--group", SERVICE, "--bucket", project.bucket, "--region", REGION)

    done = command(
        "build", *given, "--output", str(tmp_path / "out"),
        AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1",
    )  # fmt: skip

    assert done.returncode == 1
    assert "AWS cannot be asked: Could not connect" in done.stderr


def test_files_are_moved_into_place_whole(tmp_path: Path) -> None:
    """A file that cannot be replaced leaves no half of another, and no scratch folder."""
    (tmp_path / "b.json").mkdir()
    (tmp_path / "b.json" / "in the way").touch()

    with pytest.raises(DeployError, match="cannot be written to"):
        write({"b.json": "new", "a.json": "new"}, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.json"]


def test_the_stages_of_the_repository_are_those_of_the_pipeline() -> None:
    """Every value in them is within the template's ranges, without an account."""
    arn = f"{REGION}:{ACCOUNT}"
    given = {
        "ServiceName": "s1",
        "ModelPackageArn": f"arn:aws:sagemaker:{arn}:model-package/g/1",
        "ArtifactBucket": "models",
        "DataBucket": "data",
        "ImageRepositoryArn": f"arn:aws:ecr:{arn}:repository/r",
    }
    for name in ("staging", "production"):
        assert problems_of(templates.load(), given | dict(load_stage(name).parameters)) == []
