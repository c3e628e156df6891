"""What the label column holds: classes or numbers, and how answers read.

Classes are kept as they stood in the training data, so that an answer says `True.` where
the data said `True.`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from churn_daal.errors import ArtifactError
from churn_daal.tabular import cells

Class = str | int | float
# Every whole number up to here is itself as float64, and in JSON.
LARGEST_EXACT: Final = 2**53


@dataclass(frozen=True)
class Labels:
    """The label's name and, for classification, its classes.

    Attributes
    ----------
    name
        The label column's header, None without header.
    classes
        In the order of XGBoost's class numbers: for a binary objective (negative, positive).
        Empty for regression.
    """

    name: str | None
    classes: tuple[Class, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest's form."""
        return {"name": self.name, "classes": list(self.classes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Labels:
        """Read the manifest's form.

        Raises
        ------
        ArtifactError
            It is not a label of this release's format.
        """
        name, classes = data.get("name"), data.get("classes")
        if not isinstance(classes, list) or not all(
            isinstance(c, str | int | float) for c in classes
        ):
            raise ArtifactError(
                f"daal/manifest.json: label classes {classes!r:.80} are not a list of values"
            )
        if name is not None and not isinstance(name, str):
            raise ArtifactError(f"daal/manifest.json: label name {name!r:.80} is not text")
        return cls(name, tuple(classes))


def as_class(text: str) -> Class:
    """Return the class a label cell stands for: a number where that reads back, else its text.

    `7`, `7.0` and `0.5` are numbers. `07`, `1.10` and `12345678901234567` stay text: as numbers
    they would be answered otherwise than they were trained, or fall together.
    """
    if not cells.is_number(text):
        return text
    value = float(text)
    if not math.isfinite(value) or abs(value) > LARGEST_EXACT:
        return text
    if value.is_integer():
        return int(value) if text in {str(int(value)), f"{int(value)}.0"} else text
    return value if repr(value) == text else text
