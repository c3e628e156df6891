"""What was answered: how the scores lie, and how often each class was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from churn_daal.monitoring.captured import Side
from churn_daal.serving import media

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
# Enough for quantiles that tell; a month of answers is not held whole.
_KEPT = 1_000_000


class Answers:
    """Scores and labels of answers in CSV, JSON and JSON Lines; others are counted as not read."""

    def __init__(self) -> None:
        self._scores: list[float] = []
        self._labels: Counter[str] = Counter()
        self._rows = self._unread = 0

    def add(self, side: Side) -> None:
        """Take an answer in."""
        kind = media.parse(side.content_type).name
        try:
            for score, label in _answers(kind, side.body):
                self._rows += 1
                if isinstance(score, int | float) and len(self._scores) < _KEPT:
                    self._scores.append(float(score))
                if label is not None:
                    self._labels[str(label)] += 1
        except (ValueError, TypeError, KeyError, AttributeError):
            # Inference code of the user's own may answer anything.
            self._unread += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the report's part: rows, quantiles of the score, shares of the classes."""
        scores = np.asarray(self._scores)
        levels = np.quantile(scores, _QUANTILES) if len(scores) else ()
        total = sum(self._labels.values())
        return {
            "rows": self._rows,
            "not_read": self._unread,
            "score_mean": float(scores.mean()) if len(scores) else None,
            "score_quantiles": {str(q): float(v) for q, v in zip(_QUANTILES, levels, strict=False)},
            "labels": {
                label: count / total for label, count in sorted(self._labels.items()) if total
            },
        }


def _answers(kind: str, body: bytes) -> Iterator[tuple[Any, Any]]:
    """Yield score and label of each row; raise where the answer is no such thing."""
    if kind == "text/csv":
        for line in body.decode().splitlines():
            cells = line.split(",")
            yield (float(cells[0]) if len(cells) == 1 else None), None
        return
    if kind == "application/json":
        records = orjson.loads(body)["predictions"]
    elif kind == "application/jsonlines":
        records = [orjson.loads(line) for line in body.splitlines() if line]
    else:
        raise ValueError(kind)
    for record in records:
        yield record.get("score", record.get("probability")), record.get("predicted_label")
