"""Cells that are words to their codes: tables of what most cells are, the grammar for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from churn_daal.tabular import cells
from churn_daal.tabular.schema import Column


@dataclass(frozen=True)
class Words:
    """A column of categories or of yes and no, compiled for reading.

    Attributes
    ----------
    column
        The column.
    place, offset
        Its place among the schema's, and the first of the matrix's columns that is its.
    codes
        The code of each category, by its text.
    values, texts
        The code of what most cells hold, None for missing; and the same as JSON's text, by the
        bytes of a cell.
    """

    column: Column
    place: int
    offset: int
    codes: Mapping[str, int]
    values: Mapping[str | bool | None, int | None]
    texts: Mapping[bytes, bytes]

    @classmethod
    def of(cls, column: Column, place: int, offset: int, codes: Mapping[str, int]) -> Words:
        """Compile a column."""
        values: dict[str | bool | None, int | None]
        if column.kind == "boolean":
            values = {"": None, "1": 1, "0": 0, True: 1, False: 0}
            for word in cells.TRUE | cells.FALSE:
                code = int(word in cells.TRUE)
                values |= dict.fromkeys((word, word.upper(), word.capitalize()), code)
        else:
            # Some texts are another category than they say, see `cells.category`.
            values = {text: code for text, code in codes.items() if cells.category(text) == text}
            values[""] = codes.get("")
        texts: dict[bytes, bytes] = {}
        for text, known in values.items():
            if isinstance(text, str):
                # What UTF-8 cannot hold, a half of a pair of UTF-16, is in no body.
                with suppress(UnicodeEncodeError):
                    texts[text.encode()] = _text(known)
        return cls(column, place, offset, codes, values | {None: values[""]}, texts)

    def of_texts(self, found: list[bytes], unseen: dict[int, int]) -> list[bytes]:
        """Return the codes of a column's cells as JSON; what training has not seen is counted.

        Raises
        ------
        ValueError
            A cell is not UTF-8, or breaks the column's grammar.
        """
        try:
            return [*map(self.texts.__getitem__, found)]
        except KeyError:
            known = self.texts.get
            return [known(cell) or _text(self._code(cell.decode(), unseen)) for cell in found]

    def of_values(self, found: list[Any], unseen: dict[int, int]) -> list[int | None]:
        """Return the codes of JSON's values, None for missing; see `of_texts`.

        Raises
        ------
        ValueError, TypeError
            A value breaks the column's grammar.
        """
        known = self.values
        try:
            return [*map(known.__getitem__, found)]
        except KeyError:
            return [known[x] if x in known else self._code(x, unseen) for x in found]

    def _code(self, cell: Any, unseen: dict[int, int]) -> int | None:  # noqa: ANN401 - JSON's
        if self.column.kind == "boolean":
            [value] = cells.booleans([cell])
            return None if math.isnan(value) else int(value)
        [text] = cells.json_categories([cell])
        category = cells.category(text)
        code = self.codes.get(category or "")
        if code is None and category is not None:
            unseen[self.place] = unseen.get(self.place, 0) + 1
        return code


def _text(code: int | None) -> bytes:
    return b"" if code is None else b"%d" % code
