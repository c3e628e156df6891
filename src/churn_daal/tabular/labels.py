"""What the label column holds: classes or numbers, and how answers read.

Classes are kept as they stood in the training data, so that an answer says `True.` where
the data said `True.`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from churn_daal.errors import ArtifactError
from churn_daal.tabular import cells

Class = str | int | float


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
            raise ArtifactError(f"manifest: label classes {classes!r:.80} are not a list of values")
        if name is not None and not isinstance(name, str):
            raise ArtifactError(f"manifest: label name {name!r:.80} is not text")
        return cls(name, tuple(classes))


def as_class(text: str) -> Class:
    """Return the class a label cell stands for: a number if it is one, else its text."""
    if not cells.is_number(text):
        return text
    value = float(text)
    return int(value) if value.is_integer() else value
