"""The doors of `run-pipeline` and `get-pipeline-definition`.

The pipeline is code of a repository, not of this package: it is a user's to change. So the
commands take the package `pipelines` of the folder they are called in.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def run_pipeline() -> int:
    """Create or update a pipeline and run it; return the exit code."""
    return _command("run-pipeline", "pipelines.run_pipeline")


def get_pipeline_definition() -> int:
    """Print a pipeline's definition; return the exit code."""
    return _command("get-pipeline-definition", "pipelines.get_pipeline_definition")


def _command(program: str, name: str) -> int:
    # An installed program has its own folder first on the path, not the caller's.
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        needed = "pip install 'churn_daal[pipelines]'"
        if error.name and error.name.partition(".")[0] == "pipelines":
            needed = "call it in the root of a checkout of churn_daal, which has pipelines/"
        print(f"{program}: {error}; {needed}", file=sys.stderr)
        return 1
    return int(module.main())
