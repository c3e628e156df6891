"""Cuts from the image's environment what no run reads, so that it starts on less disk and network.

Run once, while the image is built: `python trim.py /opt/venv`.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

# Test suites and C headers of the packages.
FOLDERS = ("tests", "include")
# Stubs, sources and headers; the wheels bring what was compiled from them.
SUFFIXES = (".pyi", ".pyx", ".pxd", ".pxi", ".h", ".hpp", ".c", ".cpp", ".a", ".cmake")
# Arrow's RPC and its S3 client: nothing here opens a connection, and the libraries that read
# CSV and Parquet are not linked with them. TBB's debugging twin is loaded only when asked for.
LIBRARIES = (
    "libarrow_flight.so*",
    "libarrow_python_flight.so*",
    "_flight.*.so",
    "libarrow_s3.so*",
    "_s3fs.*.so",
    "libtcm_debug.so*",
)


def main(root: Path) -> int:
    """Trim the environment at `root` and say what that saved."""
    before = _size(root)
    for path in list(root.rglob("*")):
        if path.is_dir() and path.name in FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and _unread(path):
            path.unlink()
    removed = before - _size(root)
    linked = _link_twins(root)
    print(f"trimmed {root}: {removed / 1e6:.0f} MB removed, {linked / 1e6:.0f} MB of twins linked")
    return 0


def _unread(path: Path) -> bool:
    return path.suffix in SUFFIXES or any(path.match(pattern) for pattern in LIBRARIES)


def _size(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_file())


def _link_twins(root: Path) -> int:
    """Make links of equal libraries in one folder; a wheel cannot hold links and ships copies."""
    saved = 0
    kept: dict[tuple[Path, str], Path] = {}
    for path in sorted(root.rglob("*.so*")):
        if path.is_symlink() or not path.is_file():
            continue
        first = kept.setdefault((path.parent, _digest(path)), path)
        if first is not path:
            saved += path.stat().st_size
            path.unlink()
            path.symlink_to(first.name)
    return saved


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
