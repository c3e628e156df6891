"""What one host has gathered, as JSON for the host that writes the report.

JSON and not pickle: what comes over a network is only ever filled into objects that the receiver
made itself, attribute by attribute.
"""

from __future__ import annotations

import base64
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.report.categories import CategoryCounts
from churn_daal.report.channel_quality import ChannelQuality, SourceFile
from churn_daal.report.column_quality import ColumnQuality
from churn_daal.report.leakage import Correlation, Separation
from churn_daal.report.moments import Moments
from churn_daal.report.row_hashes import RowHashes
from churn_daal.report.sketch import QuantileSketch

# The attributes that hold what was seen.
_HELD: Final[dict[type, tuple[str, ...]]] = {
    CategoryCounts: ("_counts", "_smallest", "undercount"),
    ColumnQuality: ("missing", "moments", "sketch", "categories", "_texts"),
    Correlation: ("_x", "_y", "_products"),
    Moments: ("count", "infinite", "mean", "squares", "low", "high", "whole"),
    QuantileSketch: ("count", "_levels"),
    RowHashes: ("_parts", "halvings"),
    Separation: ("_possible", "_rows", "_low", "_high", "_class_of"),
    ChannelQuality: (
        *("columns", "files", "hashes", "label", "_class_rows", "_separations", "_correlations"),
    ),
}
_TYPES: Final = frozenset({"float32", "float64", "int64", "uint64"})


def state_of(channel: ChannelQuality) -> Any:  # noqa: ANN401 - JSON
    """Return all that `merge_state` needs of a channel, in JSON's types."""
    return _encoded(channel)


def merge_state(channel: ChannelQuality, state: Any) -> None:  # noqa: ANN401 - JSON
    """Add what another host has seen of the same channel.

    Parameters
    ----------
    channel
        Made for the same columns and label as the other host's.
    state
        The other host's `state_of`, after JSON or before.

    Raises
    ------
    ValueError
        It is no such state, or one of other columns.
    """
    twin = channel.twin()
    try:
        _fill(twin, state)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{state!r:.60} is no state of this channel") from error
    channel.merge(twin)


def _encoded(value: Any) -> Any:  # noqa: ANN401
    if type(value) in _HELD:
        return {"held": [_encoded(getattr(value, name)) for name in _HELD[type(value)]]}
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": data, "type": value.dtype.name}
    if isinstance(value, SourceFile):
        return {"file": value.name, "rows": value.rows}
    if isinstance(value, dict):
        return {"pairs": list(value.items())}
    if isinstance(value, list):
        return [_encoded(one) for one in value]
    # Strict JSON has no infinity, which the range of no values is.
    return {"number": str(value)} if isinstance(value, float) and math.isinf(value) else value


def _fill(target: Any, state: Any) -> None:  # noqa: ANN401
    names = _HELD[type(target)]
    for name, part in zip(names, state["held"], strict=True):
        own = getattr(target, name)
        if type(own) in _HELD:
            _fill(own, part)
        elif isinstance(own, list) and own and type(own[0]) in _HELD:
            for one, its in zip(own, part, strict=True):
                _fill(one, its)
        else:
            setattr(target, name, _decoded(part))


def _decoded(part: Any) -> Any:  # noqa: ANN401
    if isinstance(part, list):
        return [_decoded(one) for one in part]
    if not isinstance(part, dict):
        return part
    if "array" in part:
        return _array(part["array"], part["type"])
    if "file" in part:
        return SourceFile(str(part["file"]), int(part["rows"]))
    if "number" in part:
        return float(part["number"])
    return dict(part["pairs"])


def _array(data: str, name: str) -> NDArray[Any]:
    if name not in _TYPES:
        raise ValueError(f"{name!r:.40} is no type of such an array; expected {sorted(_TYPES)}")
    return np.frombuffer(base64.b64decode(data), dtype=name).copy()
