"""Plain CSV is read in one go, to the bit as the strict reader has it, errors included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from churn_daal.errors import DataError
from churn_daal.serving.decoders import FORMATS, csv_rows
from churn_daal.tabular import plain_rows
from churn_daal.tabular.encoder import Encoder, Matrix
from churn_daal.tabular.schema import Column, Schema


class Strict(Encoder):
    """An encoder that is sure of no text."""

    def from_plain_text(self, text: bytes) -> Matrix | None:
        """Leave all of it to the strict way."""


CATEGORIES = ("\ud800", "a", "é", "415", "0", "True", "N A", "", "NaN", 'q"q', "a,b", "-0")
COLUMNS = st.one_of(
    st.just(Column("n", "number")),
    st.just(Column("b", "boolean")),
    st.builds(
        lambda encoding, categories: Column("c", "category", encoding, tuple(categories)),
        st.sampled_from(["onehot", "ordinal"]),
        st.lists(st.sampled_from(CATEGORIES), unique=True, max_size=4),
    ),
)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Return schemas of up to four columns, some with names that could be data."""
    columns = draw(st.lists(COLUMNS, min_size=1, max_size=4))
    names = draw(st.sampled_from(["x{}", "{}", "a{}"]))
    named = [
        Column(names.format(k), c.kind, c.encoding, c.categories) for k, c in enumerate(columns)
    ]
    return Schema(tuple(named), ignored=("y",), delimiter=draw(st.sampled_from(",;\t .e1é")))


NUMBERS = [
    *("1", "-1.5", "0", "-0", "-0.0", "0e0", "1e5", "2.5E-3", "1e-46", "1e38", "1e39", "-1e400"),
    *("3.4028234663852886e38", "3.4028235677973366e38", "3.4028235677973362e38"),
    *("340282356779733661637539395458142568448", "340282356779733661637539395458142568447"),
    *("9007199254740993", "18446744073709551616", "123456789012345678901234567890"),
    *("16777217.000000001", "1.00000005960464477539062500001", "0." + "1" * 400, "1" * 30),
    *("+1", ".5", "1.", "01", "-", "1e", "1_0", "inf", "nan", "NaN", "NA", "null", "true", "[1]"),
    *("1 ", " 1", "\x0b1", "1\xa0", "\u0661", "1\x00", "0x1", "{}", "1:2", "--1", " -0", "-0 "),
    *('"1"', '"1', "nan ", "NaNNaN", " ", "1 2", "\t1", "1\t2"),
    *('""', '" "', '"1" ', ' "1"', '"1"2', '1"2"', '"1""2"', '"""1"""', '"NA"', '"1,2"', '"1\n2"'),
    *('"a"', '"yes"', '"x0"', '"x"', '"1";', '"1;2"', '"1\r"', '"', '"""', '""""'),
]
WORDS = [
    *("yes", "NO", "True.", "t", "\u017f", "ye\u017f", "f ", "1.0", "0.0", ""),
    *("\x00", "\ufeff", "\ufeff1"),
]
CELLS = st.one_of(
    st.sampled_from([*NUMBERS, *WORDS, *CATEGORIES, *"abny", "x0", "x1", "a0", "a1", "415.0"]),
    st.floats().map(repr),
    st.floats(width=32).map(lambda number: f"{number:.9g}"),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.text(max_size=3),
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Schema, bytes]:
    """Return a schema and a body that is near to rows of it."""
    schema = draw(schemas())
    width = len(schema.columns)
    rows = draw(
        st.one_of(
            st.just([]),
            st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=4),
            st.lists(st.lists(CELLS, max_size=5), max_size=4),
        )
    )
    # Cells that fit: most texts above fit no column.
    rows += draw(st.lists(st.tuples(*map(_fitting, schema.columns)), max_size=3))
    headers = [[], [], [], [list(schema.names)], [list(schema.names)], [[*schema.names, "y"]]]
    rows = [*draw(st.sampled_from(headers)), *rows]
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    delimiter = draw(st.sampled_from([schema.delimiter] * 3 + [","]))
    text = end.join(delimiter.join(row) for row in rows)
    text = draw(st.sampled_from(["", "", "", "\ufeff", "\n"])) + text
    text += draw(st.sampled_from(["", "\n", "\n\n", "\r\n", "\r", " "]))
    body = text.encode(errors="surrogatepass")
    return schema, body + draw(st.sampled_from([b"", b"", b"", b"\xff"]))


def _fitting(column: Column) -> st.SearchStrategy[str]:
    if column.kind == "number":
        floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
        # The first of them are JSON's numbers too.
        return st.one_of(floats.map(repr), st.integers().map(str), st.sampled_from(NUMBERS[:22]))
    if column.kind == "boolean":
        return st.sampled_from(["yes", "No", "0", "1", ""])
    return st.sampled_from([*column.categories, "unseen", ""])


def outcome(encoder: Encoder, body: bytes, parameters: dict[str, str]) -> tuple[object, object]:
    """Return the bits of what is decoded and what was unseen, or the error."""
    unseen: dict[int, int] = {}
    decode = FORMATS["text/csv"].decode
    try:
        found = list(decode(memoryview(body), parameters, encoder.counting(unseen)))
    except DataError as error:
        return type(error), str(error)
    X = np.concatenate([np.empty((0, encoder.schema.width), np.float32), *found])
    assert all(block.flags.c_contiguous and block.dtype == np.float32 for block in found)
    return X.tobytes(), unseen


KINDS = (
    Column("n", "number"),
    Column("b", "boolean"),
    Column("c", "category", "onehot", CATEGORIES),
    Column("c", "category", "ordinal", CATEGORIES),
)


@pytest.mark.parametrize("column", KINDS, ids=lambda column: f"{column.kind}-{column.encoding}")
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("long", [0, plain_rows._LONG], ids=["as an array", "as a list"])
def test_both_ways_agree_on_each_cell(
    column: Column, delimiter: str, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, before, between and after others, and in any row."""
    monkeypatch.setattr(plain_rows, "_LONG", long)
    alone = Schema((column,), delimiter=delimiter)
    among = Schema((Column("m", "number"), column, Column("k", "number")), delimiter=delimiter)
    first = Schema((column, Column("k", "number")), delimiter=delimiter)
    for cell in {*NUMBERS, *WORDS, *CATEGORIES, "b", "unseen", "yes", "1,2", "a\rb", "1\r", "\r"}:
        for schema, rows in (
            (alone, [[cell]]),
            (alone, [["1"], [cell]]),
            (alone, [[cell], ["0"]]),
            (among, [["1", cell, "2"]]),
            (among, [["1", "1", "2"], ["", cell, ""]]),
            (first, [[cell, "2"], ["1", ""]]),
        ):
            body = "\n".join(delimiter.join(row) for row in rows).encode(errors="surrogatepass")
            ways = [outcome(kind(schema), body, {}) for kind in (Encoder, Strict)]
            assert ways[0] == ways[1], (schema, body)


@settings(max_examples=300, deadline=None)
@given(bodies(), st.sampled_from([{}, {}, {"header": "absent"}, {"header": "present"}]))
@example((Schema((Column("n", "number"), Column("m", "number"))), b"1,\r2"), {})
@example((Schema((Column("n", "number"),)), b"1\n\n2\n\n"), {})
@example((Schema((Column("x", "category", "onehot", ("a",)),)), b"x\na\n"), {})
def test_both_ways_agree(case: tuple[Schema, bytes], parameters: dict[str, str]) -> None:
    """Whatever the body, the rows are the same bits, the counts and the errors the same."""
    schema, body = case
    strict = outcome(Strict(schema), body, parameters)

    assert outcome(Encoder(schema), body, parameters) == strict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_rows, "_LONG", 0)
        assert outcome(Encoder(schema), body, parameters) == strict


@settings(max_examples=100, deadline=None)
@given(bodies(), st.sampled_from([{}, {"header": "absent"}]))
def test_both_ways_agree_at_the_seams(
    case: tuple[Schema, bytes], parameters: dict[str, str]
) -> None:
    """Also where the strict way takes over in the middle, and rows are counted on."""
    schema, body = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "_SMALL", 0)
        patch.setattr(csv_rows, "_PIECE", 7)
        quick = outcome(Encoder(schema), body, parameters)

    assert quick == outcome(Strict(schema), body, parameters)


MIXED = Schema(
    (
        Column("c", "category", "onehot", ("a", "b")),
        Column("n", "number"),
        Column("o", "category", "ordinal", ("x", "415")),
        Column("b", "boolean"),
        Column("m", "number"),
    )
)


@pytest.mark.parametrize(("mode", "quick"), [("auto", True), ("present", True), ("absent", False)])
def test_a_header_in_the_models_order_is_plain(mode: str, quick: bool) -> None:
    """The strict way is not asked, unless the header is said to be none."""

    class Quick(Encoder):
        from_text = None

    body = b"c,n,o,b,m\r\na,1,x,yes,2\r\n"
    assert isinstance(outcome(Encoder(MIXED), body, {"header": mode})[0], bytes) is quick
    if quick:
        expected = outcome(Encoder(MIXED), body.partition(b"\n")[2], {})
        assert outcome(Quick(MIXED), body, {"header": mode}) == expected


@pytest.mark.parametrize(
    ("text", "rows", "unseen"),
    [
        (b"a,1,x,yes,2", [[1, 0, 1, 0, 1, 2]], {}),
        (b"b,1e3,415,No,-2.5\n", [[0, 1, 1000, 1, 0, -2.5]], {}),
        (b"a,1,x,yes,2\r\nb,,x,no,1\r\n", [[1, 0, 1, 0, 1, 2], [0, 1, np.nan, 0, 0, 1]], {}),
        (b"a, 1,x,yes,2 \na,nan,x,yes,NA", [[1, 0, 1, 0, 1, 2], [1, 0, np.nan, 0, 1, np.nan]], {}),
        (b",,,,\n", [[0, 0, np.nan, np.nan, np.nan, np.nan]], {}),
        (
            b"z,,y,,0\na,,415.0,T,\nz,,,,3",
            [
                [0, 0, np.nan, np.nan, np.nan, 0],
                [1, 0, np.nan, 1, 1, np.nan],
                [0, 0, np.nan, np.nan, np.nan, 3],
            ],
            {0: 2, 2: 1},
        ),
    ],
)
def test_plain_text_takes_the_quick_way(
    text: bytes, rows: list[list[float]], unseen: dict[int, int]
) -> None:
    """Numbers, known words, missing cells and unseen categories."""
    counted: dict[int, int] = {}

    X = Encoder(MIXED).counting(counted).from_plain_text(text)

    np.testing.assert_array_equal(X, np.array(rows, dtype=np.float32))
    assert counted == unseen
