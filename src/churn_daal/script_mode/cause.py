"""Finds the cause of a program's end in what it wrote to stderr, for the failure file's start."""

from __future__ import annotations

import re

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+)')
_LAST_LINES = 5


def cause_of(errors: str) -> str:
    """Return the exception of the last traceback and where it was raised, else the last lines.

    Parameters
    ----------
    errors
        The end of a program's stderr.
    """
    lines = errors.splitlines()
    start = next((i for i in reversed(range(len(lines))) if lines[i] == _TRACEBACK), None)
    if start is None:
        last = [line.strip() for line in lines if line.strip()][-_LAST_LINES:]
        return " | ".join(last) or "it wrote nothing to stderr; its log may say more"
    # The frames are indented; the first line that is not is the exception.
    end = next((i for i in range(start + 1, len(lines)) if not lines[i].startswith(" ")), None)
    if end is None:
        return "its traceback is cut off; its log may say more"
    frames = [match for line in lines[start:end] if (match := _FRAME.match(line))]
    where = f" ({_place(frames)})" if frames else ""
    return "\n".join([lines[end] + where, *lines[end + 1 :]]).strip()


def _place(frames: list[re.Match[str]]) -> str:
    # The user's own line says more than one inside a library.
    own = [frame for frame in frames if "site-packages" not in frame["file"]]
    frame = (own or frames)[-1]
    return f"{frame['file']}, line {frame['line']}"
