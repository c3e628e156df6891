"""`python -m deploy.describe model.tar.gz`: the API's documents, from the model itself."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.archive import manifest_of
from deploy.errors import DeployError
from deploy.openapi import openapi
from deploy.postman import collection
from deploy.schema import request_model


def main(arguments: Sequence[str] | None = None) -> int:
    """Write openapi.json, postman.json and request.schema.json; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        written = describe(
            options.model, options.output, url=options.url, authorization=options.authorization,
            title=options.title,
        )  # fmt: skip
    except DeployError as error:
        print(f"deploy.describe: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


def describe(
    model: Path, output: Path, *, url: str, authorization: str, title: str
) -> tuple[Path, ...]:
    """Write the documents of a model's API.

    Parameters
    ----------
    model
        A model.tar.gz, or the folder it was unpacked to.
    output
        Folder to write to; made if it is not there.
    url
        Of the API's stage, without `/invocations`.
    authorization
        `api-key` or `iam`.
    title
        Of the API.

    Returns
    -------
    The files: openapi.json, postman.json, request.schema.json.

    Raises
    ------
    DeployError
        The model cannot be read, or the folder cannot be written to.
    """
    manifest = manifest_of(model)
    shared: dict[str, Any] = {
        "title": title,
        "url": url.rstrip("/"),
        "authorization": authorization,
    }
    documents = {
        "openapi.json": openapi(manifest, **shared),
        "postman.json": collection(manifest, **shared),
        "request.schema.json": request_model(manifest.schema),
    }
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, document in documents.items():
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            (output / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DeployError(f"{output} cannot be written to: {error.strerror}") from None
    return tuple(output / name for name in documents)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.describe",
        description="Write OpenAPI, a Postman collection and the requests' JSON Schema.",
    )
    parser.add_argument("model", type=Path, help="model.tar.gz, or the folder it was unpacked to")
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write to (here)")
    parser.add_argument("--title", default="Predictions", help="the API's title")
    parser.add_argument(
        "--url",
        default="http://127.0.0.1:3000",
        help="the stage's address, without /invocations; the stack's output ApiUrl has it",
    )
    parser.add_argument("--authorization", choices=("api-key", "iam"), default="api-key")
    return parser


if __name__ == "__main__":
    sys.exit(main())
