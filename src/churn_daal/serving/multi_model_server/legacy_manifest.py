"""Keeps multi-model-server from taking a model's own manifest for one of its archives.

It looks for `MANIFEST.json`, in any case and one folder down, as archives before its release 1.0
had it: it finds `daal/manifest.json`, and fails on it. Nothing it can be told changes that, so the
one name in the one class that looks is another here; the package itself stays as it was released.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from churn_daal.errors import UserError

CLASS: Final = "com/amazonaws/ml/mms/archive/ModelArchive.class"
# A text in a class file's table: its tag, its length in two bytes, its letters.
_SOUGHT: Final = b"\x01\x00\x0dMANIFEST.json"
_INSTEAD: Final = b"\x01\x00\x0dMANIFEST.none"


def without_legacy_manifests(archive: Path, folder: Path) -> Path:
    """Lay the class with that name changed below a folder, to stand before the archive.

    Parameters
    ----------
    archive
        `model-server.jar`.
    folder
        Writable.

    Returns
    -------
    What to put in front of the class path.

    Raises
    ------
    UserError
        This release of multi-model-server is not one that is known here.
    """
    with zipfile.ZipFile(archive) as jar:
        code = jar.read(CLASS)
    if code.count(_SOUGHT) != 1:
        raise UserError(
            f"{archive} is not of a known release of multi-model-server; install locks/mms.txt"
        )
    target = folder / "classes" / CLASS
    target.parent.mkdir(parents=True)
    target.write_bytes(code.replace(_SOUGHT, _INSTEAD))
    return folder / "classes"
