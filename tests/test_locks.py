"""The locks install what pyproject.toml asks for, the same everywhere, and nothing unhashed."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
# Of servers that are measured beside this one; never in its own environment.
PEERS = sorted((ROOT / "bench" / "peers").glob("*.txt"))
# A pin, its marker if any, and its hashes over continued lines.
PIN = re.compile(r"([a-z0-9-]+==[^\s;]+(?: ; [^\\]+)?)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)\n")
# In environments of their own, since what they ask for does not go with the rest.
APART = {"sam"}
SUPPORTED = ("3.11", "3.12", "3.13")


def pins(lock: Path) -> list[Requirement]:
    """Return what a lock pins, markers included."""
    return [Requirement(match[1].strip()) for match in PIN.finditer(lock.read_text())]


def asked_for(lock: str) -> list[Requirement]:
    """Return what pyproject.toml asks for in the group a lock is named after."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"] | {"runtime": project["project"]["dependencies"]}
    return [Requirement(text) for text in groups[lock]]


def test_each_group_has_a_lock() -> None:
    """A group without one would be installed at whatever version is newest that day."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]

    assert {lock.stem for lock in LOCKS} == {*groups, "runtime"}


@pytest.mark.parametrize(
    "lock", [*LOCKS, *PEERS], ids=lambda lock: f"{lock.parent.name} {lock.stem}"
)
def test_every_line_is_a_hashed_pin_or_a_comment(lock: Path) -> None:
    """Nothing else may stand there: no address of a registry, no path, no option."""
    rest = PIN.sub("", lock.read_text())

    assert pins(lock)
    assert [line for line in rest.splitlines() if not re.fullmatch(r" *#.*", line)] == []
    assert not re.search(r"https?://|file:|[=\s]/\w", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
@pytest.mark.parametrize("python", SUPPORTED)
def test_what_is_asked_for_is_pinned_in_its_range(lock: Path, python: str) -> None:
    """pyproject.toml and the lock were changed together, for each Python that is supported."""
    here = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    pinned = {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins(lock)
        if pin.marker is None or pin.marker.evaluate(here)
    }

    for wanted in asked_for(lock.stem):
        assert pinned.get(canonicalize_name(wanted.name), "nothing") in wanted.specifier, wanted


def test_locks_agree_on_versions() -> None:
    """What is tested is what is shipped: a package in two locks has the same pins in both."""
    found: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for lock in (lock for lock in LOCKS if lock.stem not in APART):
        for pin in pins(lock):
            found[pin.name].setdefault(lock.stem, set()).add(f"{pin.specifier} {pin.marker}")

    shared = {name: locks for name, locks in found.items() if len(locks) > 1}

    assert shared, "runtime and test share at least packaging"
    assert [
        name for name, locks in shared.items() if len(set(map(frozenset, locks.values()))) > 1
    ] == []
