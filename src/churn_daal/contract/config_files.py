"""Reading SageMaker's JSON files so that each fault names the file and the place in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from churn_daal.errors import UserError

_T = TypeVar("_T")
_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}


def read_object(file: Path) -> dict[str, object] | None:
    """Read a file that holds one JSON object; None where there is no such file.

    Raises
    ------
    UserError
        The file cannot be read, is not UTF-8, is not JSON or holds something else.
    """
    try:
        # The editors of some systems put a byte order mark first.
        value = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{file}: byte {error.start + 1} is not UTF-8. Save the file as UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        raise UserError(
            f"{file}: line {error.lineno}, column {error.colno} is not JSON ({error.msg}). "
            "Expected one object, every name and text in double quotes and no comma at the end."
        ) from error
    if not isinstance(value, dict):
        raise UserError(f'{file} holds {type_name(value)}; expected an object {{"name": ...}}.')
    return value


def member(file: Path, entries: Mapping[str, object], key: str, kind: type[_T]) -> _T:
    """Return a member that has to be there.

    Raises
    ------
    UserError
        The member is missing or of another type.
    """
    if key not in entries:
        raise UserError(f"{file}: {key!r} is missing; expected {_NAMES[kind]}.")
    value = entries[key]
    if not isinstance(value, kind):
        raise UserError(f"{file}: {key!r} is {type_name(value)}; expected {_NAMES[kind]}.")
    return value


def optional_text(
    file: Path, entries: Mapping[str, object], key: str, *, where: str = ""
) -> str | None:
    """Return a text that may be left out; null and an empty text count as left out.

    Raises
    ------
    UserError
        The member is there and not a text.
    """
    value = entries.get(key)
    if value is not None and not isinstance(value, str):
        raise UserError(f"{file}: {where}{key!r} is {type_name(value)}; expected a text.")
    return value or None


def plain_text(value: object) -> str:
    r"""Return a JSON value as plain text with one layer of JSON quoting taken off.

    `"0.1"` and `0.1` both give `0.1`; `"\"binary:logistic\""`, as the SDK's framework
    estimators write it (rule T1), gives `binary:logistic`. Lists and objects stay JSON text.
    """
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    try:
        inner = json.loads(value)
    except ValueError:
        return value
    return inner if isinstance(inner, str) else value


def type_name(value: object) -> str:
    """Return what a JSON value is, in words for a message."""
    if value is None:
        return "null"
    return _NAMES.get(type(value), f"the number {value!r}")
