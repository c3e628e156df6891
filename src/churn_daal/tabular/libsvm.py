"""Reads libsvm text, `label[:weight] [qid:N] index:value ...`, in bounded blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from churn_daal.errors import DecodeError, UserError
from churn_daal.tabular.libsvm_lines import mixed, walk
from churn_daal.tabular.libsvm_tokens import scan
from churn_daal.tabular.sparse_block import SparseBlock, concatenate

BLOCK_BYTES: Final = 4 << 20
MAX_LINE: Final = 256 << 20
# Larger pieces are read more slowly: the arrays of each step no longer fit a core's cache.
_PIECE = 256 << 10
_BOM = b"\xef\xbb\xbf"


def read_blocks(
    stream: BinaryIO, *, name: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[SparseBlock]:
    """Yield a training file's rows, those of some `block_bytes` of text at a time.

    Parameters
    ----------
    stream
        The decompressed text; read to its end, not closed.
    name
        The file, as a message names it.
    block_bytes
        How much text is held at once, give or take a line.

    Raises
    ------
    UserError
        Naming file and line.
    """
    line, held = 1, 0
    first: SparseBlock | None = None
    read: list[SparseBlock] = []
    try:
        for text in _pieces(stream, min(block_bytes, _PIECE)):
            block = parse(text, first_line=line)
            line += text.count(b"\n")
            held += len(text)
            if len(block):
                first = first or block
                _check_alike(first, block)
                read.append(block)
            if held >= block_bytes and read:
                yield concatenate(read)
                held, read = 0, []
    except DecodeError as error:
        raise UserError(f"{name}: {error}") from error
    if read:
        yield concatenate(read)


def parse(
    text: bytes, *, first_line: int = 1, labels: bool = True, last: bool = True
) -> SparseBlock:
    """Read whole lines.

    Parameters
    ----------
    text
        Lines of ASCII; what follows a `#` is passed over.
    first_line
        The number of the first line.
    labels
        Whether each row starts with a label, as in training; blank lines are passed over then.
        If not, as in a request, every line is a row, since the answer must line up with it: one
        with nothing in it lacks all features, unless only such lines follow. A label or a query
        that stands in a line all the same is passed over.
    last
        Whether the input ends here; if not, lines with nothing in them count at the end too.

    Returns
    -------
    The rows; indices as written, `rows` the numbers of their lines.

    Raises
    ------
    DecodeError
        Naming the line: what came, what was expected and the remedy.
    """
    if last:
        text = text.removesuffix(b"\n") if labels else text.rstrip()
    if text and not text.endswith(b"\n"):
        text += b"\n"
    # The scan reads what is written in the usual way, the walk anything, and names a fault.
    block = scan(text, first_line, labels=labels)
    return walk(text, first_line, labels=labels) if block is None else block


def _pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield whole lines of about `size` bytes together."""
    held: list[bytes] = []
    begun = False
    while piece := stream.read(size):
        if not begun:
            piece, begun = piece.removeprefix(_BOM), True
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join([*held, piece[:cut]])
            held = []
        held.append(piece[cut:])
        if sum(map(len, held)) > MAX_LINE:
            raise DecodeError(
                f"a line of more than {MAX_LINE >> 20} MB; expected libsvm text, a row a line. "
                "Set the channel's content type to what the file is"
            )
    if rest := b"".join(held):
        yield rest + b"\n"


def _check_alike(first: SparseBlock, block: SparseBlock) -> None:
    """Refuse a block with weights or queries where the file's first has none, or without them."""
    for what, example in (("weights", "label:weight"), ("groups", "qid:N")):
        if (getattr(first, what) is None) != (getattr(block, what) is None):
            raise DecodeError(mixed(example), row=int(block.rows[0]))
