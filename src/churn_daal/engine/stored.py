"""The frame around a oneDAL model's own bytes.

oneDAL ends the whole process (`terminate called after throwing`) when it is given truncated
bytes, and reads most flipped bits without noticing. So no byte reaches it before the frame's
digest, which covers the header as well, is found right.

Layout: 8 bytes magic, 32 bytes SHA-256 of all that follows, 4 bytes header length (little
endian), the header as JSON, the model's bytes. The digest guards against damage, not against a
forger: whoever can write the model folder can write a frame too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from churn_daal.errors import ArtifactError

# The digit is the frame's version: change it with any change a reader of today would misread.
MAGIC = b"CHDAAL1\n"
DIGEST_BYTES = hashlib.sha256().digest_size
LENGTH_BYTES = 4
PREFIX_BYTES = len(MAGIC) + DIGEST_BYTES


class OtherVersionError(ArtifactError):
    """The bytes are whole but of another oneDAL release: convert the booster again."""


@dataclass(frozen=True)
class Header:
    """What must be known of a oneDAL model before it is constructed.

    Attributes
    ----------
    kind
        Which of oneDAL's two model classes the bytes are of.
    n_features, n_classes, n_trees
        Widths; `n_classes` is 0 for `regression`.
    onedal
        The run-time version of oneDAL that wrote the bytes.
    """

    kind: Literal["regression", "classification"]
    n_features: int
    n_classes: int
    n_trees: int
    onedal: str


def pack(header: Header, model: bytes) -> bytes:
    """Frame a model's bytes."""
    text = json.dumps(asdict(header), sort_keys=True).encode()
    body = len(text).to_bytes(LENGTH_BYTES, "little") + text + model
    return MAGIC + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> tuple[Header, bytes]:
    """Check a frame and take it apart.

    Raises
    ------
    ArtifactError
        The data is not such a frame, or is truncated or altered.
    """
    if not data.startswith(MAGIC):
        raise ArtifactError(
            f"the oneDAL model starts with {bytes(data[: len(MAGIC)])!r}, expected {MAGIC!r}: "
            "not a file this release wrote. Convert the booster again."
        )
    body = memoryview(data)[PREFIX_BYTES:]
    if hashlib.sha256(body).digest() != data[len(MAGIC) : PREFIX_BYTES]:
        raise ArtifactError(
            f"the oneDAL model ({len(data):,} bytes) does not match its own SHA-256: it is "
            "truncated or damaged. Copy the file again or convert the booster again."
        )
    end = LENGTH_BYTES + int.from_bytes(body[:LENGTH_BYTES], "little")
    try:
        header = Header(**json.loads(bytes(body[LENGTH_BYTES:end])))
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the header of the oneDAL model cannot be read: {error}") from error
    return header, bytes(body[end:])
