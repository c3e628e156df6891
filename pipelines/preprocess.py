"""Splits raw rows into train, validation and test; a processing step runs it in this image.

Cells are passed on as they stand. Kinds, encodings and classes are learned in training, from the
train part alone, and kept with the model.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from churn_daal.errors import UserError
from churn_daal.partition import Split, split
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.files import channel_files

# The identifier of the churn data as it is often handed on; the bundled copy is without it.
USUAL_IDS: Final = ("Phone",)
# What SageMaker shows as the job's ExitMessage, 1 KB of it.
EXIT_MESSAGE: Final = Path("/opt/ml/output/message")


def find_files(source: str, scratch: Path) -> list[Path]:
    """Return the files of a path, those of an S3 address copied to the disk.

    Raises
    ------
    UserError
        There are none, or they cannot be fetched.
    """
    if source.startswith("s3://"):
        return list(_fetched(source, scratch))
    path = Path(source)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(
            f"--input-data {source}: there is no such file or folder; give the raw CSV, its "
            "folder, or an s3:// address"
        )
    return channel_files(path)


def _fetched(source: str, scratch: Path) -> Iterator[Path]:
    # Only here: a step whose rows come as a processing input needs no client of AWS.
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    found = 0
    try:
        client = boto3.client("s3")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                if item["Size"]:
                    path = scratch / f"{found:06}-{Path(item['Key']).name}"
                    client.download_file(bucket, item["Key"], str(path))
                    found += 1
                    yield path
    except (BotoCoreError, ClientError) as error:
        raise UserError(
            f"--input-data {source} cannot be fetched ({error}); check the address, and that the "
            "job's role may list and read it"
        ) from error
    if not found:
        raise UserError(f"--input-data {source}: no object with content under that address")


def _id_columns(given: str, files: Sequence[Path], arguments: argparse.Namespace) -> list[str]:
    if given == "none":
        return []
    if given != "auto":
        return [name.strip() for name in given.split(",")]
    reader = CsvReader(files, header=arguments.header, delimiter=arguments.delimiter)
    return [name for name in USUAL_IDS if name in (reader.names or ())]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("preprocess", description="Split raw CSV rows for training.")
    parser.add_argument("--input-data", default="/opt/ml/processing/raw", metavar="PATH|s3://...")
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing"))
    parser.add_argument("--label", default="Churn?", help="label column: header or position from 0")
    parser.add_argument(
        "--id-columns",
        default="auto",
        help=f"columns to leave out, commas between; none; auto: {', '.join(USUAL_IDS)} if there",
    )
    parser.add_argument("--validation-size", type=float, default=0.2, help="share of the rows")
    parser.add_argument("--test-size", type=float, default=0.2, help="share of the rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stratify", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument(
        "--train-files", type=int, default=1, help="files of the train part, one for each host"
    )
    parser.add_argument("--header", choices=("auto", "present", "absent"), default="auto")
    parser.add_argument("--delimiter", default=",")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step; return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    args = _parser().parse_args(arguments)
    try:
        how = Split(args.validation_size, args.test_size, args.seed, args.stratify)
        with tempfile.TemporaryDirectory() as scratch:
            files = find_files(args.input_data, Path(scratch))
            ids = _id_columns(args.id_columns, files, args)
            rows = split(
                files,
                args.output,
                how,
                label=args.label,
                id_columns=ids,
                output_format=args.format,
                header=args.header,
                delimiter=args.delimiter,
                train_files=args.train_files,
            )
    except (UserError, OSError) as error:
        return _fail(f"preprocess: {error}")
    print(f"left out: {', '.join(ids) or 'no column'}")
    print(f"rows: {', '.join(f'{part} {count}' for part, count in rows.items())}")
    return 0


def _fail(message: str) -> int:
    # The columns' roles are hyperparameters in training, and options here.
    for name in ("label", "id_columns"):
        message = message.replace(f"hyperparameter {name}", f"--{name.replace('_', '-')}")
    print(message, file=sys.stderr)
    if EXIT_MESSAGE.parent.is_dir():
        EXIT_MESSAGE.write_text(message[:1024], encoding="utf-8")
    return 1


if __name__ == "__main__":
    sys.exit(main())
