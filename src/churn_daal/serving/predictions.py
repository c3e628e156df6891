"""What is answered about some rows: named columns, of which encoders make bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churn_daal.artifact import Manifest
from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.labels import Class

# An array of (n,) or (n, k), or a list of n classes or of n values for JSON.
Column: TypeAlias = "NDArray[Any] | Sequence[Any]"
SCORE = "score"
LABEL = "predicted_label"


@dataclass(frozen=True)
class Predictions:
    """Answers to a block of rows.

    Attributes
    ----------
    columns
        By name, in the order in which they are written; all of one length.
    selected
        Whether the client chose them. If not, formats without names hold the score alone.
    classes
        The model's, in the order of XGBoost's class numbers, for formats that cannot hold words.
    """

    columns: Mapping[str, Column]
    selected: bool = False
    classes: Sequence[Class] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def usual(manifest: Manifest, response: Matrix) -> Predictions:
    """Return what is answered where the client has no wish.

    Parameters
    ----------
    manifest
        Of the model that answered.
    response
        float32 (n,), or (n, classes) for `multi:*`.

    Returns
    -------
    `score`: the probability, the value, the classes' probabilities side by side, or the class
    where that is the objective's own answer. `predicted_label` beside it for classification.
    """
    if not manifest.labels.classes:
        return Predictions({SCORE: response})
    labels = classes_of(manifest, response)
    score = labels if answers_class(manifest.objective) else response
    return Predictions({SCORE: score, LABEL: labels}, classes=manifest.labels.classes)


def answers_class(objective: str) -> bool:
    """Tell whether an objective's own answer is the class, not a number about it."""
    return objective in {"multi:softmax", "binary:hinge"}


def classes_of(manifest: Manifest, response: Matrix) -> list[Class]:
    """Return each row's class as it was trained."""
    classes = manifest.labels.classes
    if response.ndim == 2:
        numbers = response.argmax(axis=1)
    elif manifest.objective == "binary:logitraw":
        # Its answer is the margin: the threshold's logit is where the probability crosses it.
        cut = np.log(manifest.threshold / (1 - manifest.threshold))
        numbers = (response >= float(cut)).astype(np.intp)
    else:
        numbers = (response >= manifest.threshold).astype(np.intp)
    return [classes[number] for number in numbers.tolist()]
