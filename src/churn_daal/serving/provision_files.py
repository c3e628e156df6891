"""What was made ready once, in files: for workers that inherit no memory."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from churn_daal import artifact
from churn_daal.serving.hooks.program import Program
from churn_daal.serving.loading import Provision

_MODEL: Final = "prepared-model"
_REST: Final = "provision.json"


def write_provision(folder: Path, provision: Provision) -> None:
    """Write what was made ready into a folder, for `read_provision` in any process.

    Raises
    ------
    OSError
        There is no room.
    """
    if provision.model is not None:
        (folder / _MODEL).write_bytes(artifact.pack(provision.model))
    rest = {
        "prepared": provision.model is not None,
        "program": provision.program and asdict(provision.program),
        "packages": provision.packages,
        "ensemble": provision.ensemble,
    }
    (folder / _REST).write_text(json.dumps(rest, default=str), encoding="utf-8")


def read_provision(folder: Path) -> Provision:
    """Read it.

    Raises
    ------
    OSError
        It is not there.
    """
    rest = json.loads((folder / _REST).read_bytes())
    return Provision(
        artifact.unpack((folder / _MODEL).read_bytes()) if rest["prepared"] else None,
        rest["program"] and _program(rest["program"]),
        rest["packages"] and Path(rest["packages"]),
        rest["ensemble"],
    )


def _program(told: dict[str, Any]) -> Program:
    return Program(
        Path(told["path"]),
        Path(told["folder"]),
        tuple(map(Path, told["search"])),
        loads_model=told["loads_model"],
    )
