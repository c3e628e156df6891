"""Predictions to answer bodies, one encoder for each media type, in the table `ENCODERS`.

The usual shapes are those of AWS's XGBoost image, so that its clients read them. An encoder takes
the blocks as they are predicted, and holds no more of them than it has to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

from churn_daal.serving.encoders.csv_lines import encode_csv
from churn_daal.serving.encoders.json_rows import encode_json
from churn_daal.serving.predictions import Predictions

Encode: TypeAlias = Callable[[Iterable[Predictions]], bytes]

ENCODERS: Final[Mapping[str, Encode]] = {
    "text/csv": encode_csv,
    "application/json": encode_json,
}

# Types whose body is the bodies of its blocks, one after the other: of any size in little memory.
CONCATENATED: Final = frozenset({"text/csv"})
