"""Puts the numbers of many records together, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import DecodeError
from churn_daal.tabular.libsvm_lines import MAX_INDEX
from churn_daal.tabular.protobuf_wire import WireError, varints
from churn_daal.tabular.record_message import FLOAT32, FLOAT64, INT32, Tensor
from churn_daal.tabular.sparse_block import SparseBlock, sort_rows

DTYPES: Final[dict[int, np.dtype[Any]]] = {FLOAT32: np.dtype("<f4"), FLOAT64: np.dtype("<f8")}
_DAMAGED = "a number's bytes are damaged; write it anew"


def assemble(
    features: Sequence[Tensor],
    rows: NDArray[np.int64],
    labels: NDArray[np.float64] | None,
    width: int | None,
) -> SparseBlock:
    """Return one block of the rows that the tensors are.

    Parameters
    ----------
    features
        One a row; a tensor without values is a row in which all is missing.
    rows
        int64 (n,), the numbers of the records.
    labels
        float64 (n,); None where there are none.
    width
        How many features the records before had; None where nothing is known.

    Raises
    ------
    DecodeError
        Naming the record: keys that do not fit the values or the shape, or another width.
    """
    values, counts = numbers(features, rows)
    keys, key_counts = _varints([tensor.keys for tensor in features], rows)
    has, has_keys = counts.tolist(), key_counts.tolist()
    for place, tensor in enumerate(features):
        found = has[place], has_keys[place]
        width = _check_shape(tensor, *found, width, int(rows[0]) + place)
    indptr = np.append([0], np.cumsum(counts)).astype(np.int64)
    sparse = key_counts > 0
    if (~sparse & (counts > 0)).all():
        return SparseBlock(indptr, single(values), None, rows, labels, width=width)
    high = keys >= np.uint64(width or 0)
    if high.any():
        place = int(np.repeat(np.arange(len(rows)), key_counts)[high][0])
        raise DecodeError(
            f"key {keys[high][0]}, but the shape is {width}; count the keys from 0, or write the "
            "number of features as the shape",
            row=int(rows[place]),
        )
    indices = np.arange(len(values)) - np.repeat(indptr[:-1], counts)
    indices[np.repeat(sparse, counts)] = keys.astype(np.int64)
    indices, ordered, repeats = sort_rows(indptr, indices, single(values))
    if repeats is not None:
        raise DecodeError(
            "a key comes twice; give each feature one value a record", row=int(rows[repeats])
        )
    return SparseBlock(indptr, ordered, indices, rows, labels, width=width)


def _check_shape(tensor: Tensor, count: int, keys: int, width: int | None, row: int) -> int | None:
    """Return the number of features there are, as far as this and the rows before tell."""
    if keys and tensor.size is None:
        raise DecodeError(
            "keys but no shape; write the number of features as the tensor's shape", row=int(row)
        )
    if keys and keys != count:
        raise DecodeError(
            f"{keys} keys for {count} values; write one key for each value", row=int(row)
        )
    if count and not keys and tensor.size not in {None, count}:
        raise DecodeError(
            f"{count} values, but the shape has {tensor.size}; write as many values, or keys that "
            "say which these are",
            row=int(row),
        )
    own = tensor.size if tensor.size is not None else (count or None)
    if own is not None and own > MAX_INDEX + 1:
        raise DecodeError(
            f"the shape has {own} features; XGBoost takes {MAX_INDEX + 1} at most", row=int(row)
        )
    if own is not None and width is not None and own != width:
        raise width_fault(own, width, int(row))
    return own if width is None else width


def width_fault(own: int | None, width: int, row: int) -> DecodeError:
    """Word the fault that records differ in how many features they have."""
    return DecodeError(
        f"{own} features, but the records before have {width}; write every record with as many",
        row=row,
    )


def numbers(
    tensors: Sequence[Tensor], rows: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the tensors' values, float32, float64 or int32, and how many each has (int64).

    Raises
    ------
    DecodeError
        Naming the record: an integer's bytes are cut short.
    """
    kinds = np.array([tensor.kind for tensor in tensors])
    counts = np.zeros(len(tensors), dtype=np.int64)
    parts = {}
    for kind in set(kinds.tolist()):
        chosen = np.flatnonzero(kinds == kind)
        pieces = [tensors[int(place)].values for place in chosen]
        if kind == INT32:
            wide, counts[chosen] = _varints(pieces, rows[chosen])
            # Both the short and the 64-bit form of a negative number end in its 32 bits.
            parts[kind] = wide.astype(np.uint32).view(np.int32)
        else:
            parts[kind] = np.frombuffer(b"".join(pieces), dtype=DTYPES[kind])
            counts[chosen] = [len(piece) // DTYPES[kind].itemsize for piece in pieces]
    if len(parts) == 1:
        return parts.popitem()[1], counts
    values = np.empty(int(counts.sum()), dtype=np.float64)
    for kind, part in parts.items():
        values[np.repeat(kinds == kind, counts)] = part
    return values, counts


def _varints(
    pieces: Sequence[bytes], rows: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    for piece, row in zip(pieces, rows, strict=True):
        if piece and piece[-1] >= 0x80:
            raise DecodeError(_DAMAGED, row=int(row))
    bounds = np.cumsum([0, *map(len, pieces)])
    try:
        values, ends = varints(b"".join(pieces))
    except WireError:
        raise DecodeError(_DAMAGED, row=int(rows[0])) from None
    counts = np.diff(np.searchsorted(ends, bounds, side="right"))
    return values, counts.astype(np.int64)


def single(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the values as float32, infinite where they are beyond it."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
