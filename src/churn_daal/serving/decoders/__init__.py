"""Request bodies to matrices, one decoder for each media type, in the table `FORMATS`.

A decoder yields the rows block by block, so that a body of any size takes bounded memory beyond
itself. A body that is not what its type says is a DecodeError; one that is, but breaks the
model's schema, a SchemaError. Rows count from 1 as in the body, a header counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from churn_daal.serving.decoders.csv_rows import decode_csv
from churn_daal.serving.decoders.json_document import decode_json
from churn_daal.tabular.encoder import Encoder, Matrix

Decode: TypeAlias = Callable[[memoryview, Mapping[str, str], Encoder], Iterator[Matrix]]


@dataclass(frozen=True)
class Format:
    """A media type that is read.

    Attributes
    ----------
    kind
        Its name in a refusal, `Loading csv data failed`.
    decode
        Takes the body, the media type's parameters and the model's encoder; yields float32
        (n, width) blocks, n at least 1, and nothing for a body without rows.
    """

    kind: str
    decode: Decode


FORMATS: Final[Mapping[str, Format]] = {
    "text/csv": Format("csv", decode_csv),
    "application/json": Format("json", decode_json),
}
