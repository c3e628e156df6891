"""Predictions to answer bodies: one encoder for each media type, in the table `ENCODERS`.

The shapes are those of AWS's XGBoost image, so that its clients read them: CSV has one line a
row, with the probability, the class or the value, or the classes' probabilities side by side;
JSON has `{"predictions": [{"score": ...}]}`, and beside it the class as it was trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from churn_daal.artifact import Manifest
from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.labels import Class

Writer = Callable[[Manifest, Matrix], bytes]


def encode_csv(manifest: Manifest, response: Matrix) -> bytes:
    """Write one line a row.

    Parameters
    ----------
    manifest
        Of the model that answered.
    response
        float32 (n,), or (n, classes) for `multi:*`.
    """
    if answers_class(manifest.objective):
        lines = [_csv_cell(label) for label in classes_of(manifest, response)]
        return "".join(f"{line}\n" for line in lines).encode()
    if not np.isfinite(response).all():
        # An exponential link can overflow; orjson would write null.
        return "".join(f"{_joined(row)}\n" for row in np.atleast_1d(response)).encode()
    # orjson writes float32 as the shortest text that reads back to it.
    text = orjson.dumps(np.ascontiguousarray(response), option=orjson.OPT_SERIALIZE_NUMPY)
    if response.ndim == 1:
        return text[1:-1].replace(b",", b"\n") + b"\n"
    return text[2:-2].replace(b"],[", b"\n") + b"\n"


def encode_json(manifest: Manifest, response: Matrix) -> bytes:
    """Write `{"predictions": [...]}`: `score`, and `predicted_label` for classification."""
    labels = classes_of(manifest, response) if manifest.labels.classes else None
    is_class = answers_class(manifest.objective)
    scores: Sequence[Any] = labels if is_class and labels is not None else list(response)
    if labels is None:
        predictions = [{"score": score} for score in scores]
    else:
        predictions = [
            {"score": score, "predicted_label": label}
            for score, label in zip(scores, labels, strict=True)
        ]
    return orjson.dumps({"predictions": predictions}, option=orjson.OPT_SERIALIZE_NUMPY)


ENCODERS: Final[Mapping[str, Writer]] = {
    "text/csv": encode_csv,
    "application/json": encode_json,
}


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


def _csv_cell(label: Class) -> str:
    text = str(label)
    if any(character in text for character in ',"\r\n'):
        quoted = text.replace('"', '""')
        return f'"{quoted}"'
    return text


def _joined(row: Matrix) -> str:
    return ",".join(map(str, np.atleast_1d(row)))
