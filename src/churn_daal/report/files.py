"""Files of the output folder: each appears whole or not at all, and JSON has no NaN."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

# NaN and the infinities become null, as RFC 8259 has no such numbers; keys keep their order.
_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
_QUOTED = re.compile(r'[",\r\n]')


def write_json(path: Path, document: Mapping[str, Any], *, indent: bool = True) -> None:
    """Write one JSON document.

    Parameters
    ----------
    document
        JSON's types, and NumPy's numbers and contiguous arrays.
    indent
        Whether it is laid out for reading.

    Raises
    ------
    OSError
        The file cannot be written; what stood there before still does.
    """
    data = orjson.dumps(document, option=_JSON | (orjson.OPT_INDENT_2 if indent else 0))
    with _Replacing(path) as file:
        file.write(data.decode())


def write_csv(
    path: Path, rows: Iterable[Sequence[object]], header: Sequence[str] | None = None
) -> None:
    """Write rows as they come, in CSV of RFC 4180 but for its line end, which is LF here.

    A cell with a comma, a quote or a line break is quoted; None is an empty cell.

    Raises
    ------
    OSError
        The file cannot be written; what stood there before still does.
    """
    with _Replacing(path) as file:
        if header is not None:
            file.write(_line(header))
        file.writelines(map(_line, rows))


def _line(cells: Iterable[object]) -> str:
    return ",".join(map(_cell, cells)) + "\n"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    # csv.writer of Python 3.11 leaves a lone carriage return unquoted, and cannot read it back.
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


class _Replacing:
    """A text file that takes its name when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._file: IO[str]

    def __enter__(self) -> IO[str]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("w", encoding="utf-8", newline="")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._file.close()  # the last bytes may find the disk full
            if kind is None:
                self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)
