"""A channel's files are found, decompressed, decoded and cut between records."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_daal.errors import UserError
from churn_daal.tabular.files import channel_files, open_bytes, text_blocks

TEXT = b'a,b\n1,"x\ny"\n2,"z ""q"" \n"\n3,4'


def zstd(data: bytes) -> bytes:
    """Compress as one zstd frame."""
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def blocks(
    folder: Path,
    data: bytes,
    *,
    delimiter: str | None = ",",
    charset: str = "utf-8",
    size: int = 1 << 20,
) -> list[bytes]:
    """Write a file and return its blocks."""
    path = folder / "t.csv"
    path.write_bytes(data)
    return list(text_blocks(path, delimiter=delimiter, charset=charset, size=size))


def test_files_at_any_depth_come_sorted(tmp_path: Path) -> None:
    """Hidden files and folders and empty files are left out."""
    for name in ("b.csv", "a/z.csv", "a/.hidden", ".cache/x.csv", "c/d/e.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n")
    (tmp_path / "_SUCCESS").touch()

    found = channel_files(tmp_path)

    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/z.csv", "b.csv", "c/d/e.csv"]


def test_a_channel_without_data_is_refused(tmp_path: Path) -> None:
    """Missing, or with nothing but empty and hidden files."""
    folder = tmp_path / "train"
    with pytest.raises(
        UserError, match=r"channel 'train': there is no folder .*; pass this channel"
    ):
        channel_files(folder)
    folder.mkdir()
    (folder / ".hidden").write_text("1\n")
    (folder / "empty.csv").touch()
    with pytest.raises(UserError, match="channel 'train': no file with content in"):
        channel_files(folder)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_file_is_decompressed_by_its_first_bytes(
    tmp_path: Path, compress: Callable[[bytes], bytes], size: int
) -> None:
    """Whatever its name; files that were joined after compression too."""
    data = compress(TEXT + b"\n") + compress(TEXT)

    assert b"".join(blocks(tmp_path, data, size=size)) == (TEXT + b"\n") * 2


@pytest.mark.parametrize(("kind", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_a_cut_off_file_is_named(
    tmp_path: Path, kind: str, compress: Callable[[bytes], bytes]
) -> None:
    """An upload that ended early must not train on half the rows."""
    message = f"t.csv: the {kind} data is damaged or cut off (Truncated compressed stream); "

    with pytest.raises(UserError, match=re.escape(message) + "compress the file again$"):
        blocks(tmp_path, compress(TEXT)[:-6])


def test_damaged_bytes_are_named_where_they_are_read(tmp_path: Path) -> None:
    """The middle of a file, not its end."""
    path = tmp_path / "t.csv.gz"
    data = bytearray(gzip.compress(bytes(range(256)) * 100))
    data[40:80] = b"\xff" * 40
    path.write_bytes(data)

    with (
        pytest.raises(UserError, match=r"^t.csv.gz: the gzip data is damaged"),
        open_bytes(path) as f,
    ):
        f.read()


@pytest.mark.parametrize("charset", ["latin-1", "cp1252", "utf-16", "utf-16-le", "shift_jis"])
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_a_character_set_is_undone(tmp_path: Path, charset: str, size: int) -> None:
    """Also where a block's border falls within a character."""
    text = "n,t\n1,ab\n2,c\n" if charset == "shift_jis" else "n,t\n1,é\n2,ü\n"

    assert (
        b"".join(blocks(tmp_path, text.encode(charset), charset=charset, size=size))
        == text.encode()
    )


@pytest.mark.parametrize("data", [b"a\n\xff\n", "a\n1\n".encode("utf-16-le")[:-1]])
def test_bytes_of_another_character_set_are_named(tmp_path: Path, data: bytes) -> None:
    """A character that is not there, and one cut off at the end."""
    charset = "utf-16-le" if b"\0" in data else "shift_jis"
    message = f"t.csv: bytes that are not {charset}, which the channel's content type names; save"

    with pytest.raises(UserError, match=re.escape(message)):
        blocks(tmp_path, data, charset=charset)


@pytest.mark.parametrize("size", [1, 2, 5, 1 << 20])
def test_a_byte_order_mark_is_no_text(tmp_path: Path, size: int) -> None:
    """Nor a file of nothing else any text."""
    assert b"".join(blocks(tmp_path, b"\xef\xbb\xbfa\n1\n", size=size)) == b"a\n1\n"
    assert blocks(tmp_path, b"\xef\xbb\xbf\n", size=size) in ([], [b"\n"])


CELL = st.text(st.sampled_from('ab"\n, '), max_size=6)


@given(
    rows=st.lists(st.lists(CELL, min_size=1, max_size=3), min_size=1, max_size=8),
    size=st.integers(1, 40),
)
def test_no_block_ends_within_quotes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int
) -> None:
    """Every block holds whole records, and together they are the file."""
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows]
    data = "".join(lines).encode()

    parts = blocks(tmp_path_factory.mktemp("t"), data, size=size)

    ends = {len("".join(lines[:count]).encode()) for count in range(1, len(lines) + 1)}
    assert b"".join(parts) == data
    assert {len(b"".join(parts[: k + 1])) for k in range(len(parts))} <= ends


@given(text=st.text(st.sampled_from('a5",\n'), max_size=20), size=st.integers(1, 20))
def test_no_block_changes_what_the_csv_module_reads(
    tmp_path_factory: pytest.TempPathFactory, text: str, size: int
) -> None:
    """Whatever quotes stand wherever."""
    parts = blocks(tmp_path_factory.mktemp("t"), text.encode(), size=size)

    read = [list(csv.reader(io.StringIO(part.decode(), newline=""))) for part in parts]
    whole = text if text.endswith("\n") else text + "\n"
    expected = list(csv.reader(io.StringIO(whole, newline="")))
    assert [row for rows in read for row in rows if row] == [row for row in expected if row]


@pytest.mark.parametrize("size", [1, 6, 30])
def test_a_quote_within_a_cell_opens_nothing(tmp_path: Path, size: int) -> None:
    """Five inches on row 2 do not make one block of all that follows."""
    lines = [b"1,x\n", b'2,5" pipe\n', b'3,"a ""b""\n,c"\n', b"4,y\n", b"5,z\n"] * 3

    parts = blocks(tmp_path, b"".join(lines), size=size)

    ends = {len(b"".join(lines[:count])) for count in range(1, len(lines) + 1)}
    assert b"".join(parts) == b"".join(lines)
    assert {len(b"".join(parts[: k + 1])) for k in range(len(parts))} <= ends
    assert max(map(len, parts)) <= size + 30


@pytest.mark.parametrize("size", [1, 6, 30])
@pytest.mark.parametrize("delimiter", [" ", "_", ";"])
def test_the_delimiter_tells_which_quote_opens_a_cell(
    tmp_path: Path, delimiter: str, size: int
) -> None:
    """A blank may be one; and after any other character a quote is one within a cell."""
    rows = [["1", '"a\n""b"'], ["2", 'x("y'], ["3", '"c\n"'], ["4", '-"'], ["5", "z"]] * 3
    lines = [f"{delimiter.join(row)}\n".encode() for row in rows]

    parts = blocks(tmp_path, b"".join(lines), delimiter=delimiter, size=size)

    ends = {len(b"".join(lines[:count])) for count in range(1, len(lines) + 1)}
    assert b"".join(parts) == b"".join(lines)
    assert {len(b"".join(parts[: k + 1])) for k in range(len(parts))} <= ends
    assert max(map(len, parts)) <= size + 12


def test_without_quoting_every_line_break_ends_a_record(tmp_path: Path) -> None:
    """A quote in JSON Lines or libsvm says nothing about its line."""
    assert blocks(tmp_path, b'"a\nb"\nc', delimiter=None, size=3) == [b'"a\n', b'b"\n', b"c\n"]


def test_a_file_without_record_ends_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quote that is never closed would gather all that follows."""
    monkeypatch.setattr("churn_daal.tabular.files._LONGEST_RECORD", 50)

    with pytest.raises(
        UserError, match=r"^t.csv: no end of a row within \d\d bytes; a quote may not be closed"
    ):
        blocks(tmp_path, b'a\n"' + b"1\n" * 100, size=10)
