"""`application/x-recordio-protobuf`: a `Record` of SageMaker's a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from churn_daal.serving.decoders.blocks import PIECE_BYTES, Stream
from churn_daal.serving.decoders.positions import check_numbers_do, encode_block
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.record_protobuf import parse
from churn_daal.tabular.recordio import records
from churn_daal.tabular.sparse_block import SparseBlock, rebase


def decode_records(body: memoryview, _: Mapping[str, str], encoder: Encoder) -> Iterator[Matrix]:
    """Decode dense and sparse records; labels are passed over.

    Raises
    ------
    DecodeError
        The body is no RecordIO, or a record no `Record`; byte or row is named.
    SchemaError
        A record has another number of features than the model, or a value that does not fit.
    """
    schema = encoder.schema
    check_numbers_do(schema)
    for block in _blocks(body):
        yield from encode_block(rebase(block, 0, len(schema.columns)), encoder)


def _blocks(body: memoryview) -> Iterator[SparseBlock]:
    held: list[bytes] = []
    first, size = 1, 0
    for record in records(Stream(body)):
        held.append(record)
        # An empty record has a size too, that of its frame.
        size += len(record) + 8
        if size >= PIECE_BYTES:
            yield parse(held, first=first, labels=False)
            first, held, size = first + len(held), [], 0
    if held:
        yield parse(held, first=first, labels=False)
