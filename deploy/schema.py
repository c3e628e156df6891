"""A model's requests as JSON Schema: what API Gateway validates, and what the API's document says.

It lets pass whatever the container answers, and leaves to the container what it cannot say: a
category is any text, as one that training has not seen is answered too. The rules of a cell are
those of docs/schema.md (`churn_daal.tabular.cells`), the forms of a row those of docs/formats.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from churn_daal.tabular.cells import FALSE, MISSING, TRUE
from churn_daal.tabular.schema import Column, Schema

DRAFT_4: Final = "http://json-schema.org/draft-04/schema#"
_SHOWN = 8
_BLANK: Final = r"[ \t\r\n\f\v]*"
_MISSING: Final = "|".join(sorted(MISSING - {""}))
_NUMBER: Final = rf"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|{_MISSING}|"


def _in_any_case(word: str) -> str:
    """Return a pattern of a word; JSON Schema has no other way to pass over case."""
    return "".join(f"[{c.upper()}{c}]" if c.isalpha() else rf"\{c}" for c in word)


_YES_NO: Final = f"{'|'.join(map(_in_any_case, sorted(TRUE | FALSE)))}|0|1|{_MISSING}|"


@dataclass(frozen=True)
class Dialect:
    """How a document of JSON Schema refers to its parts, and lists what stands at which place.

    Attributes
    ----------
    base
        What stands before a part's name in a reference.
    places
        The keyword for one schema for each place of an array.
    """

    base: str
    places: str


# API Gateway reads draft 4; OpenAPI 3.1 is of draft 2020-12.
API_GATEWAY: Final = Dialect("#/definitions/", "items")
OPENAPI: Final = Dialect("#/components/schemas/", "prefixItems")


def request_model(schema: Schema) -> dict[str, Any]:
    """Return the document API Gateway validates `application/json` bodies against."""
    parts = request_parts(schema, API_GATEWAY)
    body = parts.pop("Request")
    return {"$schema": DRAFT_4, "title": "Request", "definitions": parts, **body}


def request_parts(schema: Schema, dialect: Dialect) -> dict[str, dict[str, Any]]:
    """Return the schemas by name; `Request` is a whole body, `Record` a row by name."""
    several = {"type": "array", "items": _ref("Row", dialect), "minItems": 1}
    forms: list[dict[str, Any]] = [_ref("Row", dialect), several]
    if not schema.knows("instances"):
        forms.append(
            {"type": "object", "properties": {"instances": several}, "required": ["instances"]}
        )
    return {
        "Request": {"anyOf": forms},
        "Row": {"anyOf": [_ref(n, dialect) for n in ("Record", "Values")] + _wrapped(schema)},
        "Record": _record(schema, dialect),
        "Values": _values(schema, dialect),
        **_CELLS,
    }


def _record(schema: Schema, dialect: Dialect) -> dict[str, Any]:
    """Return a row by name: each feature; the label and dropped columns may come too."""
    properties = {column.name: _described(column, dialect) for column in schema.columns}
    ignored: dict[str, Any] = {name: {} for name in schema.ignored if name not in properties}
    return {
        "description": "A row by name. Every column comes; null is a missing value.",
        "type": "object",
        "properties": properties | ignored,
        "required": list(schema.names),
        "additionalProperties": False,
    }


def _values(schema: Schema, dialect: Dialect) -> dict[str, Any]:
    return {
        "description": "A row by position, the columns in the order of training.",
        "type": "array",
        dialect.places: [_ref(_KINDS[column.kind], dialect) for column in schema.columns],
        "minItems": len(schema.columns),
        "maxItems": len(schema.columns),
    }


def _wrapped(schema: Schema) -> list[dict[str, Any]]:
    """Return the forms that SageMaker's own algorithms take; the container looks into them."""
    forms = {"features": ["features", "label"], "data": ["data", "configuration"]}
    return [
        {
            "type": "object",
            "properties": {key: {} for key in keys},
            "required": [name],
            "additionalProperties": False,
        }
        for name, keys in forms.items()
        if not schema.knows(name)
    ]


def _described(column: Column, dialect: Dialect) -> dict[str, Any]:
    cell = _ref(_KINDS[column.kind], dialect)
    if column.kind != "category":
        return cell
    shown = ", ".join(column.categories[:_SHOWN])
    more = "" if len(column.categories) <= _SHOWN else f", ... ({len(column.categories)} in all)"
    # Beside a reference nothing is read in draft 4.
    return {"description": f"One of: {shown}{more}. Another is read as none.", "allOf": [cell]}


def _ref(name: str, dialect: Dialect) -> dict[str, Any]:
    return {"$ref": dialect.base + name}


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{_BLANK}({pattern}){_BLANK}$"}


_KINDS: Final = {"number": "Number", "boolean": "YesOrNo", "category": "Category"}
_CELLS: Final[dict[str, dict[str, Any]]] = {
    "Number": {
        "description": "A number, or its text; null where it is missing.",
        "anyOf": [{"type": "number"}, {"type": "null"}, _text(_NUMBER)],
    },
    "YesOrNo": {
        "description": "true or false, or a word for it; null where it is missing.",
        "anyOf": [{"type": "boolean"}, {"enum": [0, 1, None]}, _text(_YES_NO)],
    },
    "Category": {
        "description": "A text, a number or a truth value; null where it is missing.",
        "type": ["string", "number", "boolean", "null"],
    },
}
