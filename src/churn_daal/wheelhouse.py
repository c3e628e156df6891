"""Packages that user code brings as wheels: one rule for training's scripts and serving's hooks.

A folder `wheelhouse` takes the place of the package index, so that nothing needs a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

WHEELHOUSE: Final = "wheelhouse"
REQUIREMENTS: Final = "requirements.txt"
_LISTED = 12


def first_wheelhouse(*folders: Path) -> Path | None:
    """Return the wheelhouse of the first of these folders that has one."""
    places = (folder / WHEELHOUSE for folder in folders)
    return next((place for place in places if place.is_dir()), None)


def pip_options(record: Path, wheels: Path | None) -> Mapping[str, str]:
    """Return pip's options by their long names; "1" is a flag's.

    Parameters
    ----------
    record
        Where pip writes its log, for `refusal`.
    wheels
        The wheelhouse; None leaves it to the package index.
    """
    options = {
        "log": str(record),
        "quiet": "1",
        "no-input": "1",
        "disable-pip-version-check": "1",
        "root-user-action": "ignore",
    }
    if wheels is not None:
        # As an address: in its environment pip splits the list at blanks, which a path may hold.
        options |= {"no-index": "1", "find-links": wheels.resolve().as_uri()}
    return options


def refusal(what: str, record: Path, wheels: Path | None) -> str:
    """Return why pip could not install, from its log, and the remedy.

    Parameters
    ----------
    what
        What was to be installed.
    record, wheels
        As in `pip_options`.
    """
    text = record.read_text(encoding="utf-8", errors="replace") if record.is_file() else ""
    told = [line.partition("ERROR: ")[2].strip() for line in text.splitlines() if "ERROR: " in line]
    # The last is the short one; the one before it lists every version pip met.
    why = told[-1] if told else "pip's lines in the log say why"
    if wheels is None:
        remedy = (
            f"Without a network packages come from a folder {WHEELHOUSE!r} beside "
            f"{REQUIREMENTS}: pip download -r {REQUIREMENTS} -d {WHEELHOUSE}"
        )
    else:
        held = sorted(path.name for path in wheels.iterdir())
        more = ", ..." if len(held) > _LISTED else ""
        remedy = (
            f"pip looked in {wheels} alone, which holds: "
            f"{', '.join(held[:_LISTED]) or 'nothing'}{more}. Add what is missing, with what it "
            f"needs itself: pip download -r {REQUIREMENTS} -d {WHEELHOUSE}"
        )
    return f"{what} cannot be installed: {why}. {remedy}"
