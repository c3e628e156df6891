"""What the first process made ready, for the workers that Java starts: they inherit no memory.

Both have the server's own folder for temporary files; it goes with the server.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from churn_daal import artifact
from churn_daal.serving.hooks.program import Program
from churn_daal.serving.loading import Provision

_MODEL: Final = "prepared-model"
_PROVISION: Final = "provision.json"


def hand_on(provision: Provision) -> None:
    """Write what was made ready into the folder of temporary files.

    Raises
    ------
    OSError
        There is no room.
    """
    folder = Path(tempfile.gettempdir())
    if provision.model is not None:
        (folder / _MODEL).write_bytes(provision.model.to_bytes())
    told = {
        "model": provision.model is not None,
        "program": None if provision.program is None else asdict(provision.program),
        "ensemble": provision.ensemble,
    }
    (folder / _PROVISION).write_text(json.dumps(told, default=str), encoding="utf-8")


def handed_on() -> Provision:
    """Read it in a worker.

    Packages are not named: they are among what the program searches, not the worker's to remove.
    """
    folder = Path(tempfile.gettempdir())
    told = json.loads((folder / _PROVISION).read_bytes())
    return Provision(
        artifact.Prepared.from_bytes((folder / _MODEL).read_bytes()) if told["model"] else None,
        _program(told["program"]) if told["program"] else None,
        ensemble=told["ensemble"],
    )


def _program(told: dict[str, Any]) -> Program:
    return Program(
        Path(told["path"]),
        Path(told["folder"]),
        tuple(Path(place) for place in told["search"]),
        loads_model=told["loads_model"],
    )
