"""NumPy arrays of numbers are rows, whatever their layout; nothing is unpickled."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving.decoders import blocks
from churn_daal.tabular.encoder import Encoder
from churn_daal.tabular.schema import Column, Schema

from .bodies import NPY, NUMBERS, WORDS, decode, npy

NAN = np.nan
FLAGS = Encoder(Schema((Column("a", "boolean"), Column("b", "boolean"))))
ROWS = [[3, 1, 10], [2, 0, 1]]
EXPECTED = [[3, 1, 0, 0, 1], [2, 0, 1, 0, 0]]


@pytest.mark.parametrize(
    "kind", ["i1", "<u2", ">i4", "<i8", ">u8", "f2", "<f4", ">f4", "<f8", ">f8", "g"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts(kind: str, order: str) -> None:
    """Integers and floats of any width and byte order, by rows or by columns."""
    array = np.array(ROWS, dtype=kind, order=order)  # type: ignore[call-overload]

    np.testing.assert_array_equal(decode(NPY, npy(array), NUMBERS), EXPECTED)


def test_shapes() -> None:
    """One dimension is one row; NaN is missing; no rows are none."""
    np.testing.assert_array_equal(
        decode(NPY, npy(np.array([3, 1, 2.5])), NUMBERS), [[3, 1, 0, 1, 0]]
    )
    np.testing.assert_array_equal(
        decode(NPY, npy(np.full((2, 3), NAN)), NUMBERS), [[NAN, NAN, 0, 0, 0]] * 2
    )
    assert decode(NPY, npy(np.empty((0, 7))), NUMBERS).shape == (0, 5)
    np.testing.assert_array_equal(decode(NPY, npy(np.eye(2, dtype=bool)), FLAGS), np.eye(2))


def test_doubles_are_rounded_as_a_csv_is() -> None:
    """And large integers too: by way of float64."""
    encoder = Encoder(Schema((Column("n", "number"),)))
    values = np.array([[0.1], [1 / 3], [16777217.0]])
    whole = np.array([[2**62 + 2**38 + 1], [-(2**53) - 1]])

    for array in (values, whole):
        text = "".join(f"{value}\n" for value in array[:, 0].tolist()).encode()
        expected = decode("text/csv", text, encoder)
        np.testing.assert_array_equal(decode(NPY, npy(array), encoder), expected)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.array(["1", "2", "3"]), DecodeError, "an array of <U1; turn it into numbers"),
        (np.array([1 + 2j] * 3), DecodeError, "an array of complex128"),
        (np.array(["2026-01-02"] * 3, "M8[D]"), DecodeError, "an array of datetime64[D]"),
        (np.zeros(3, dtype=[("n", "f4")]), DecodeError, "an array of [('n', '<f4')]"),
        (np.zeros((2, 2)), SchemaError, "row 1: 2 values came, the model expects 3"),
        (np.zeros(()), SchemaError, "an array of 0 dimensions; send (rows, 3), or (3,) for one"),
        (np.zeros((1, 1, 3)), SchemaError, "an array of 3 dimensions"),
        (np.array([[1, 1, 1], [1e39, 1, 1]]), SchemaError, "row 2, column 1 ('n'): '1e+39' is bey"),
        (np.float32([[1, 1, 1], [1, 1, 1], [np.inf, 1, 1]]), SchemaError, "row 3, column 1 ('n')"),
        (np.array([[1, 2, 1]]), SchemaError, "row 1, column 2 ('b'): '2' is not a yes or no"),
        (np.eye(3, dtype=bool), SchemaError, "row 1, column 1 ('n'): true is not a number"),
    ],
)
def test_arrays_that_are_no_rows(array: np.ndarray, error: type[Exception], message: str) -> None:
    """What came, and what to send."""
    with pytest.raises(error, match=re.escape(message)):
        decode(NPY, npy(array), NUMBERS)


def test_objects_are_never_unpickled() -> None:
    """Which would run the client's code."""
    body = npy(np.array([[1, None, "x"]], dtype=object), allow_pickle=True)

    with pytest.raises(DecodeError, match="Python objects, which are never unpickled; turn it"):
        decode(NPY, body, NUMBERS)


def header(text: str, version: tuple[int, int] = (1, 0)) -> bytes:
    """Write the start of an array."""
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"1,2,3\n", "no NumPy array or a damaged one"),
        (b"\x93NUMPY", "no NumPy array or a damaged one"),
        (npy(np.zeros((2, 3)))[:-1], "47 bytes after the header, but the shape (2, 3) of float64"),
        (npy(np.zeros((2, 3))) + b"x", "49 bytes after the header"),
        (header("{'descr':'<f8','fortran_order':False,'shape':(10**12,3)}"), "no NumPy array or"),
        (
            header("{'descr':'<f8','fortran_order':False,'shape':(99999999999,3)}"),
            "takes 2,399,999",
        ),
        (
            header("{'descr':'<f8','fortran_order':False,'shape':(-1,-3)}") + bytes(24),
            "24 bytes af",
        ),
        (header("("), "no NumPy array or a damaged one"),
        (header("-" * 900 + "1"), "no NumPy array or a damaged one"),
        (header("{" * 9000), "no NumPy array or a damaged one"),
        (header("{}", (3, 0)), "version 3.0 of the format"),
    ],
)
def test_broken_bodies(body: bytes, message: str) -> None:
    """A header that lies, or is no header, is refused before any room is made for it."""
    with pytest.raises(DecodeError, match=re.escape(message)):
        decode(NPY, body, NUMBERS)


def test_a_category_of_words_is_refused() -> None:
    """What to send instead is said."""
    with pytest.raises(SchemaError, match=r"category of words.*send text/csv, application/json"):
        decode(NPY, npy(np.zeros((1, 3))), WORDS)


def test_a_body_of_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows keep their order and their numbers, by rows or by columns."""
    monkeypatch.setattr(blocks, "_CELLS", 10)
    array = np.tile([[0.0, 1, 10]], (30, 1))
    array[:, 0] = np.arange(30)

    for form in (array, np.asfortranarray(array)):
        np.testing.assert_array_equal(decode(NPY, npy(form), NUMBERS)[:, 0], range(30))
    array[17, 1] = 3
    with pytest.raises(SchemaError, match="row 18, column 2"):
        decode(NPY, npy(array), NUMBERS)
