"""`python -m cicd.integration_test`: whether an endpoint answers as its package's booster does.

Between staging and production. It reads which package was configured, takes that model's
model.tar.gz from S3, asks XGBoost in this process and the endpoint about the same raw rows, as CSV
by position and as JSON by name, and compares. It also sends a record that has to be refused.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from deploy.aws import Aws
from deploy.errors import DeployError
from deploy.registry import package_of

from churn_daal.artifact import Model
from churn_daal.data import churn_csv
from churn_daal.errors import ChurnDaalError
from churn_daal.evaluation.packages import open_package
from cicd import endpoint, session
from cicd.comparison import compare
from cicd.known_rows import KnownRows, expected, read_rows

PROGRAM: Final = "cicd.integration_test"


@dataclass(frozen=True)
class Target:
    """What is tested.

    Attributes
    ----------
    endpoint
        The endpoint's name.
    package
        ARN of the model package that was configured for it.
    """

    endpoint: str
    package: str

    @classmethod
    def of(cls, file: Path) -> Target:
        """Read a stage's configuration, as `cicd.build` writes it.

        Raises
        ------
        DeployError
            There is none, it is none, or its endpoint cannot be invoked.
        """
        try:
            parameters = json.loads(file.read_text(encoding="utf-8"))["Parameters"]
            stage, service = parameters["StageName"], parameters["ServiceName"]
            package = parameters["ModelPackageArn"]
        except OSError as error:
            raise DeployError(
                f"{file} cannot be read ({error.strerror}); expected a configuration that "
                "make stage-configs wrote"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise DeployError(
                f"{file} is no stage configuration ({error!r:.100}); expected one that "
                "make stage-configs wrote, with StageName, ServiceName and ModelPackageArn"
            ) from None
        if parameters.get("EndpointMode") == "async":
            raise DeployError(
                f"{file}: an asynchronous endpoint is not invoked with an answer at once; test a "
                "stage whose EndpointMode is real-time or serverless"
            )
        return cls(f"{service}-{stage}", package)


def check(target: Target, aws: Aws, rows_file: Path, count: int, minutes: float) -> Iterator[str]:
    """Test an endpoint; yield a line for each thing that is as it should be.

    Raises
    ------
    DeployError
        Something is not, with each answer that differs.
    """
    told = endpoint.wait_in_service(aws, target.endpoint, minutes=minutes)
    variants = endpoint.check_package(aws, told, target.package)
    yield f"{target.endpoint} is in service with {target.package}"
    with tempfile.TemporaryDirectory() as scratch:
        model = _model(aws, target.package, Path(scratch))
        rows = read_rows(rows_file, model, count)
        wanted = expected(model, rows)
        primary = "primary" if variants > 1 else None
        bodies = {"text/csv": rows.as_csv(), "application/json": rows.as_json()}
        faults: list[str] = []
        for content_type, body in bodies.items():
            content = endpoint.invoke(aws, target.endpoint, body, content_type, primary)
            compared = compare(
                wanted,
                _predictions(content, content_type),
                lines=rows.lines,
                threshold=model.manifest.threshold
                if "binary" in model.manifest.objective
                else None,
            )
            if compared.differences:
                faults.append(
                    f"{content_type}: {len(compared.differences)} differences from what the "
                    f"package's booster says of rows of {rows_file}:\n{compared.report()}"
                )
            else:
                yield (
                    f"{content_type}: {len(wanted)} rows answered as the package's booster does, "
                    f"largest difference {compared.largest:.1e}"
                )
    if faults:
        raise DeployError("\n".join(faults))
    yield _refused(aws, target.endpoint, rows)


def _model(aws: Aws, arn: str, scratch: Path) -> Model:
    package = package_of(aws("sagemaker"), arn)
    archive = scratch / "model.tar.gz"
    source = f"s3://{package.bucket}/{package.key}"
    try:
        aws("s3").download_file(package.bucket, package.key, str(archive))
        (scratch / "model").mkdir()
        return open_package(archive, scratch / "model")
    except (ClientError, BotoCoreError, ChurnDaalError) as error:
        raise DeployError(f"{source} of {arn} cannot be loaded: {error}") from None


def _predictions(content: bytes, content_type: str) -> object:
    try:
        return json.loads(content)["predictions"]
    except (ValueError, KeyError, TypeError):
        raise DeployError(
            f'{content_type}: the answer is {content[:200]!r}; expected {{"predictions": [...]}}'
        ) from None


def _refused(aws: Aws, name: str, rows: KnownRows) -> str:
    [record, *_] = json.loads(rows.as_json())
    missing = rows.names[0]
    del record[missing]
    status, text = endpoint.refusal(aws, name, json.dumps(record).encode(), "application/json")
    if status != 400 or missing not in text:
        raise DeployError(
            f"a record without {missing!r} is refused with {status} and {text!r:.300}; expected "
            "400 and the column's name"
        )
    return f"a record without {missing!r} is refused with 400 and its name"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)

    def action() -> None:
        target = Target.of(options.configuration)
        aws = session.connect(options.region)
        for line in check(target, aws, options.rows, options.count, options.minutes):
            print(line, flush=True)

    return session.run(PROGRAM, action)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"python -m {PROGRAM}", description=__doc__)
    session.add_region(parser)
    parser.add_argument(
        "--configuration", type=Path, required=True, help="STAGE.json of cicd.build"
    )
    parser.add_argument(
        "--rows", type=Path, default=churn_csv(), help="CSV of raw rows; by default the churn data"
    )
    parser.add_argument("--count", type=_positive, default=25, help="rows to send")
    parser.add_argument("--minutes", type=float, default=30, help="to wait for the endpoint")
    return parser


if __name__ == "__main__":
    sys.exit(main())
