"""What is loaded, as all workers see it: one small database in the server's own folder.

A model is loaded from the moment its line is there, and no longer from the moment it is gone. A
worker that is killed leaves neither half a line nor a lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from churn_daal.errors import NoRoomError

_SCHEMA: Final = (
    "CREATE TABLE models (name TEXT PRIMARY KEY, url TEXT NOT NULL, generation INTEGER NOT NULL) "
    "WITHOUT ROWID"
)
# Names share this many locks, so that their files stay few: two names in 4,096 wait for each
# other's load.
_LOCK_DIGITS: Final = 3
_BUSY_SECONDS: Final = 30


@dataclass(frozen=True)
class Record:
    """A loaded model.

    Attributes
    ----------
    name
        As the platform calls it, opaque.
    url
        Its folder.
    generation
        Tells one load of a name from the next; the later one is the larger.
    """

    name: str
    url: str
    generation: int


def digest(name: str) -> str:
    """Return a name for files: one of a model may be longer, and hold anything."""
    return hashlib.sha256(name.encode()).hexdigest()


def create(folder: Path) -> None:
    """Make an empty registry, once and before any worker starts."""
    (folder / "locks").mkdir()
    with closing(sqlite3.connect(_file(folder))) as database:
        # Readers do not wait for writers. The server's models end with it, so nothing is synced.
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(_SCHEMA)


class Registry:
    """A worker's view of the registry; open it after the fork. Threads may share it.

    Parameters
    ----------
    folder
        Where `create` made it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._using = threading.Lock()
        self._database = sqlite3.connect(
            _file(folder), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA synchronous=OFF")

    def find(self, name: str) -> Record | None:
        """Return a model that is loaded."""
        rows = self._run("SELECT name, url, generation FROM models WHERE name = ?", name)
        return Record(*rows[0]) if rows else None

    def has(self, generation: int) -> bool:
        """Tell whether a load has led to a model that is loaded."""
        return bool(self._run("SELECT 1 FROM models WHERE generation = ?", generation))

    def page(self, after: str, limit: int) -> list[Record]:
        """Return up to `limit` loaded models whose names follow `after`, in their order."""
        command = "SELECT name, url, generation FROM models WHERE name > ? ORDER BY name LIMIT ?"
        return [Record(*row) for row in self._run(command, after, limit)]

    def publish(self, record: Record) -> None:
        """Make a model one that is loaded, for all workers at once.

        Raises
        ------
        NoRoomError
            The local disk is full.
        """
        command = "INSERT INTO models VALUES (?, ?, ?)"
        self._change(record, command, record.name, record.url, record.generation)

    def withdraw(self, record: Record) -> None:
        """Make a model one that is not loaded, for all workers at once.

        Raises
        ------
        NoRoomError
            The local disk is full; the model stays.
        """
        self._change(record, "DELETE FROM models WHERE name = ?", record.name)

    @contextmanager
    def only(self, name: str) -> Iterator[None]:
        """Let one load or unload of a name run at a time, over all workers."""
        with self._locked(digest(name)[:_LOCK_DIGITS]):
            yield

    @contextmanager
    def idle(self, name_digest: str) -> Iterator[None]:
        """Let nothing else run on a name.

        Raises
        ------
        BlockingIOError
            A load or unload of it runs.
        """
        with self._locked(name_digest[:_LOCK_DIGITS], fcntl.LOCK_NB):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one load run at a time, of those that ask for it."""
        with self._locked("alone"):
            yield

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def _locked(self, lock: str, wait: int = 0) -> Iterator[None]:
        with (self._folder / "locks" / lock).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | wait)
            yield

    def _change(self, record: Record, command: str, *values: str | int) -> None:
        try:
            self._run(command, *values)
        except sqlite3.OperationalError as error:
            raise NoRoomError(
                f"what becomes of model {record.name:.200} cannot be written to {self._folder}: "
                f"{error}; give the server more disk"
            ) from error

    def _run(self, command: str, *values: str | int) -> list[tuple[str, str, int]]:
        with self._using:
            return self._database.execute(command, values).fetchall()


def _file(folder: Path) -> Path:
    return folder / "registry.sqlite3"
