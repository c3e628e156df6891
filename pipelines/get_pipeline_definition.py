"""`get-pipeline-definition`: prints the JSON that SageMaker is given, or writes it to a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines import driver

PROGRAM = "get-pipeline-definition"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = driver.common_parser(PROGRAM, "Print a pipeline's definition.")
    parser.add_argument("-f", "--file-name", default=None, help="write it there")
    args = parser.parse_args(arguments)

    def command() -> int:
        kwargs = driver.parse_json("--kwargs", args.kwargs, dict)
        pipeline = driver.pipeline_of(driver.load(args.module_name), kwargs)
        text = json.dumps(json.loads(pipeline.definition()), indent=2)
        if args.file_name is None:
            print(text)
        else:
            Path(args.file_name).write_text(text + "\n", encoding="utf-8")
        return 0

    return driver.run(PROGRAM, command)


if __name__ == "__main__":
    sys.exit(main())
