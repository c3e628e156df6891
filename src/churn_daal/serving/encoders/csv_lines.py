"""`text/csv`: one line a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import orjson

from churn_daal.serving.predictions import SCORE, Predictions
from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.labels import Class


def encode_csv(blocks: Iterable[Predictions]) -> bytes:
    """Write the score of each row, the scores of several outputs side by side."""
    return b"".join(map(_lines, blocks))


def _lines(block: Predictions) -> bytes:
    score = block.columns[SCORE]
    if isinstance(score, np.ndarray):
        return _numbers(score)
    return _classes(score)


def _classes(labels: Sequence[Class]) -> bytes:
    return "".join(f"{_cell(label)}\n" for label in labels).encode()


def _numbers(scores: Matrix) -> bytes:
    if not np.isfinite(scores).all():
        # An exponential link can overflow; orjson would write null.
        return "".join(f"{_joined(row)}\n" for row in np.atleast_1d(scores)).encode()
    # orjson writes float32 as the shortest text that reads back to it.
    text = orjson.dumps(np.ascontiguousarray(scores), option=orjson.OPT_SERIALIZE_NUMPY)
    if scores.ndim == 1:
        return text[1:-1].replace(b",", b"\n") + b"\n"
    return text[2:-2].replace(b"],[", b"\n") + b"\n"


def _cell(label: Class) -> str:
    text = str(label)
    if any(character in text for character in ',"\r\n'):
        quoted = text.replace('"', '""')
        return f'"{quoted}"'
    return text


def _joined(row: Matrix) -> str:
    return ",".join(map(str, np.atleast_1d(row)))
