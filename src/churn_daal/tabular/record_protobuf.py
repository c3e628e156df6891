"""Reads recordio-protobuf: RecordIO frames with a SageMaker `Record` in each, in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import DecodeError, UserError
from churn_daal.tabular.libsvm_lines import OVERFLOW
from churn_daal.tabular.record_message import FLOAT32, Tensor, read_record
from churn_daal.tabular.record_rows import DTYPES, assemble, numbers, single, width_fault
from churn_daal.tabular.recordio import read_records
from churn_daal.tabular.sparse_block import SparseBlock

BLOCK_BYTES: Final = 4 << 20
_EMPTY = Tensor(FLOAT32, b"", b"", None, None)


def read_blocks(
    stream: BinaryIO, *, name: str, block_bytes: int = BLOCK_BYTES, labels: bool = True
) -> Iterator[SparseBlock]:
    """Yield a file's rows, those of some `block_bytes` of records at a time.

    Parameters
    ----------
    stream
        The decompressed file; read to its end, not closed.
    name
        The file, as a message names it.
    block_bytes
        How much of it is held at once, give or take a record.
    labels
        See `parse`.

    Raises
    ------
    UserError
        Naming file and record, or byte where the frames are at fault.
    """
    first, width = 1, None
    records: list[bytes] = []
    held = 0
    try:
        for record in read_records(stream, name=name):
            records.append(record)
            held += len(record)
            if held >= block_bytes:
                block = parse(records, first=first, labels=labels, width=width)
                yield block
                first, width, records, held = first + len(records), block.width, [], 0
        if records:
            yield parse(records, first=first, labels=labels, width=width)
    except DecodeError as error:
        raise UserError(f"{name}: {error}") from error


def parse(
    records: Sequence[bytes], *, first: int = 1, labels: bool = True, width: int | None = None
) -> SparseBlock:
    """Read the payloads of one or more records, a row each.

    Parameters
    ----------
    first
        The number of the first record.
    labels
        Whether each row needs its one label, as in training; if not, labels are passed over.
    width
        How many features the records before had; None where nothing is known.

    Returns
    -------
    The rows; `indices` is None where all are dense, `rows` the numbers of the records.

    Raises
    ------
    DecodeError
        Naming the record (as `row`): what came, what was expected and the remedy.
    """
    rows = np.arange(first, first + len(records), dtype=np.int64)
    block = _alike(records, rows, labels=labels)
    if block is None:
        features, targets = _walk(records, rows)
        y = _labels(targets, rows) if labels else None
        block = assemble(features, rows, y, width)
    elif width is not None and block.width != width:
        raise width_fault(block.width, width, int(rows[0]))
    bad = np.isinf(block.values)
    if bad.any():
        row = int(np.searchsorted(block.indptr, np.flatnonzero(bad)[0], side="right")) - 1
        raise DecodeError(
            "a value is infinite or beyond float32's range; write a smaller number, or NaN for "
            "missing",
            row=int(rows[row]),
        )
    return block


def _alike(
    records: Sequence[bytes], rows: NDArray[np.int64], *, labels: bool
) -> SparseBlock | None:
    """Read dense rows that differ in their numbers alone; None for others.

    Writers of dense rows make nothing else, and this reads them some ten times as fast.
    """
    size = len(records[0])
    tensors = _dense(records[0], labels=labels)
    if not tensors or any(len(record) != size for record in records):
        return None
    table = np.frombuffer(b"".join(records), dtype=np.uint8).reshape(len(records), size)
    skeleton = np.ones(size, dtype=bool)
    read = []
    for tensor in tensors:
        start, stop = tensor.span or (0, 0)
        skeleton[start:stop] = False
        read.append(np.ascontiguousarray(table[:, start:stop]).view(DTYPES[tensor.kind]))
    if (table[:, skeleton] != table[0, skeleton]).any():
        return None
    y = read[1][:, 0].astype(np.float64) if labels else None
    if y is not None and not (np.abs(y) < OVERFLOW).all():
        return None
    width = read[0].shape[1]
    indptr = np.arange(len(records) + 1, dtype=np.int64) * width
    return SparseBlock(indptr, single(read[0].ravel()), None, rows, y, width=width)


def _dense(record: bytes, *, labels: bool) -> list[Tensor]:
    """Return features and label of a record whose numbers lie in it as they are; else nothing."""
    try:
        features, label = read_record(record)
    except DecodeError:
        return []
    counts = []
    tensors = [tensor for tensor in (features, label if labels else None) if tensor]
    for tensor in tensors:
        if tensor.span is None or tensor.kind not in DTYPES or tensor.keys:
            return []
        counts.append(len(tensor.values) // DTYPES[tensor.kind].itemsize)
    usual = features is not None and counts[0] and features.size in {None, counts[0]}
    return tensors if usual and counts[1:] == [1] * labels else []


def _walk(
    records: Sequence[bytes], rows: NDArray[np.int64]
) -> tuple[list[Tensor], list[Tensor | None]]:
    features, labels = [], []
    for record, row in zip(records, rows, strict=True):
        try:
            tensor, label = read_record(record)
        except DecodeError as error:
            raise DecodeError(error.reason, row=int(row)) from None
        features.append(tensor or _EMPTY)
        labels.append(label)
    return features, labels


def _labels(labels: Sequence[Tensor | None], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    given = [label or _EMPTY for label in labels]
    found, counts = numbers(given, rows)
    odd = counts != 1
    if odd.any():
        place = int(np.argmax(odd))
        came = f"{counts[place]} labels" if counts[place] else "no label"
        raise DecodeError(
            f"{came}; expected one. Write label['values'] with one number in each record",
            row=int(rows[place]),
        )
    values = found.astype(np.float64)
    bad = ~(np.abs(values) < OVERFLOW)
    if bad.any():
        place = int(np.argmax(bad))
        raise DecodeError(
            f"the label is {values[place]}; expected a number in float32's range. Give the row a "
            "label or leave it out",
            row=int(rows[place]),
        )
    return values
