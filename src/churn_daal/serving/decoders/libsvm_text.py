"""`text/libsvm`: pairs of a feature's number and its value, a row a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from churn_daal.serving.decoders.blocks import line_pieces
from churn_daal.serving.decoders.positions import check_numbers_do, encode_block
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.libsvm import parse
from churn_daal.tabular.sparse_block import rebase

# Larger pieces are read more slowly, see tabular.libsvm.
_PIECE: Final = 256 << 10
_TAIL: Final = 1 << 12


def decode_libsvm(body: memoryview, _: Mapping[str, str], encoder: Encoder) -> Iterator[Matrix]:
    """Decode lines as training's, without the need of a label (docs/formats.md).

    Features are numbered from the schema's `index_base` on, and one that a row does not have is
    missing. Each line is a row, but for those with nothing in them at the end.

    Raises
    ------
    DecodeError
        A line is not libsvm.
    SchemaError
        A row has a feature that the model does not have, or a value that does not fit.
    """
    schema = encoder.schema
    check_numbers_do(schema)
    line = 1
    for piece in line_pieces(_stripped(body), size=_PIECE):
        block = parse(piece, first_line=line, labels=False, last=False)
        line += piece.count(b"\n")
        yield from encode_block(rebase(block, schema.index_base, len(schema.columns)), encoder)


def _stripped(body: memoryview) -> memoryview:
    """Return a body without the blanks and line ends at its end."""
    end = len(body)
    while end:
        start = max(0, end - _TAIL)
        kept = len(bytes(body[start:end]).rstrip())
        if kept:
            return body[: start + kept]
        end = start
    return body[:0]
