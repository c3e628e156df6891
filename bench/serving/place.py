"""What is handed to a server that is to start, and what it takes to start it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where one server runs.

    Attributes
    ----------
    model
        A model folder of `train`.
    booster
        The same booster alone in a folder, as a server that knows nothing else wants it.
    folder
        For what the server reads and writes.
    port
        To listen on.
    python
        Of the peer's environment.
    """

    model: Path
    booster: Path
    folder: Path
    port: int
    python: Path


@dataclass(frozen=True)
class Start:
    """A command and the variables it has beside those of this process."""

    command: list[str]
    environ: dict[str, str]
