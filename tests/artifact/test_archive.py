"""An earlier model is read from whatever form users hand it over in, and from nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import pickle
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from churn_daal.artifact import archive
from churn_daal.artifact.archive import open_earlier
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.errors import UserError
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column, Schema

BOOSTER = b"{L\x00\x00 a booster in UBJ, which this module hands on unread"
MANIFEST = Manifest(
    schema=Schema((Column("x", "number"),)),
    labels=Labels("y", (0, 1)),
    objective="binary:logistic",
    num_class=0,
    threshold=0.5,
    engine=EngineChoice("onedal"),
    files={"xgboost-model": hashlib.sha256(BOOSTER).hexdigest()},
)
WHOLE = {
    "xgboost-model": BOOSTER,
    "daal/manifest.json": MANIFEST.to_json(),
    "daal/onedal.bin": b"1",
}


def pack(path: Path, contents: dict[str, bytes], *more: tarfile.TarInfo) -> Path:
    """Write an archive of these files and members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive_:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive_.addfile(member, io.BytesIO(data))
        for member in more:
            archive_.addfile(member)
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """Return a member that is a link."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_the_archive_of_a_job(tmp_path: Path) -> None:
    """As SageMaker lays it: in folders of its own, names with a dot before them."""
    dotted = {f"./{name}": data for name, data in WHOLE.items()}
    path = pack(tmp_path / "job" / "output" / "model.tar.gz", dotted)
    (tmp_path / ".hidden.ubj").touch()

    earlier = open_earlier(tmp_path)

    assert (earlier.booster, earlier.manifest, earlier.source) == (BOOSTER, MANIFEST, path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == [
        *(".hidden.ubj", "job", "model.tar.gz", "output")
    ]


def test_a_real_model(tmp_path: Path, churn_model: Path) -> None:
    """The folder a training job wrote, packed and unpacked, gives its booster and manifest."""
    shutil.copytree(churn_model, tmp_path / "folder" / "model")
    (tmp_path / "packed").mkdir()
    with tarfile.open(tmp_path / "packed" / "model.tar.gz", "w:gz") as archive_:
        archive_.add(churn_model, arcname="")

    unpacked, packed = open_earlier(tmp_path / "folder"), open_earlier(tmp_path / "packed")

    assert packed.booster == unpacked.booster == (churn_model / "xgboost-model").read_bytes()
    assert packed.manifest is not None
    assert packed.manifest == unpacked.manifest
    assert packed.manifest.labels.classes


@pytest.mark.parametrize("name", ["xgboost-model", "model.ubj", "my model.json"])
def test_the_booster_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """A model made elsewhere has no manifest, and a line says what follows."""
    (tmp_path / name).write_bytes(BOOSTER)

    with caplog.at_level(logging.INFO):
        earlier = open_earlier(tmp_path)

    assert (earlier.booster, earlier.manifest) == (BOOSTER, None)
    assert "has no manifest" in caplog.text


def test_other_files_of_an_archive_are_passed_over(tmp_path: Path) -> None:
    """Code, links and names that lead elsewhere are neither read nor unpacked."""
    others = {"code/inference.py": b"raise", "../escape": b"1", "/etc/escape": b"1"}
    pack(tmp_path / "in" / "model.tar.gz", others | WHOLE, link("code/link", "/etc/passwd"))

    assert open_earlier(tmp_path / "in").booster == BOOSTER
    assert not (tmp_path / "escape").exists()


def broken_manifest(**changes: object) -> bytes:
    """Return a manifest with other fields."""
    return json.dumps(json.loads(MANIFEST.to_json()) | changes).encode()


@pytest.mark.parametrize(
    ("lay", "message"),
    [
        (lambda _: None, r"has 0 models \(none; it holds: nothing\); expected one: a model.tar.gz"),
        (
            lambda d: [(d / name).write_bytes(BOOSTER) for name in ("a.ubj", "b.ubj")],
            r"has 2 models \(a.ubj, b.ubj; .*Point the channel at that file alone",
        ),
        (lambda d: (d / "model.tar.gz").write_bytes(b"\x1f\x8bnonsense"), "cannot be unpacked"),
        (lambda d: (d / "model.tar.gz").write_bytes(b""), "cannot be unpacked"),
        (
            lambda d: pack(d / "model.tar.gz", {"xgboost-model-0": BOOSTER}),
            "holds no xgboost-model at its top",
        ),
        (
            lambda d: pack(d / "model.tar.gz", {}, link("xgboost-model", "../../etc/passwd")),
            "xgboost-model",
        ),
        (
            lambda d: pack(d / "model.tar.gz", {"a": b"1"}, link("./xgboost-model", "a")),
            "xgboost-model is a link or a folder",
        ),
        (
            lambda d: pack(
                d / "model.tar.gz", {"a": b"1"}, link("xgboost-model", "a", tarfile.LNKTYPE)
            ),
            "xgboost-model is a link or a folder",
        ),
        (
            lambda d: pack(d / "model.tar.gz", WHOLE | {"./xgboost-model": BOOSTER}),
            "xgboost-model is there twice",
        ),
        (
            lambda d: pack(d / "model.tar.gz", {"xgboost-model": pickle.dumps([1], 4)}),
            r"is a pickle, which can run any code .*save_model\('model.ubj'\)",
        ),
        (lambda d: (d / "xgboost-model").write_bytes(pickle.dumps({}, 0)), "neither UBJ nor JSON"),
        (lambda d: (d / "model.pkl").write_bytes(b"x"), "is a pickle"),
        (
            lambda d: (d / "xgboost-model").write_bytes(b"binf\x00\x00"),
            "do not read its old binary form",
        ),
        (
            lambda d: pack(d / "model.tar.gz", WHOLE | {"daal/manifest.json": b"{"}),
            r"model.tar.gz: daal/manifest.json: not JSON",
        ),
        (
            lambda d: pack(
                d / "model.tar.gz",
                WHOLE | {"daal/manifest.json": broken_manifest(format_version=9)},
            ),
            "format version 9",
        ),
        (
            lambda d: pack(d / "model.tar.gz", WHOLE | {"xgboost-model": BOOSTER + b"."}),
            "is not the file its manifest was written for",
        ),
    ],
)
def test_what_is_no_model(tmp_path: Path, lay: Callable[[Path], object], message: str) -> None:
    """Each is refused with the file, the fault and the remedy."""
    lay(tmp_path)

    with pytest.raises(UserError, match=message) as caught:
        open_earlier(tmp_path)

    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_ARCHIVE_BYTES", 50), ("MAX_MEMBERS", 2), ("MAX_MODEL_BYTES", 20)]
)
def test_an_archive_is_read_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """A small archive that unpacks to more than a model can be is refused."""
    monkeypatch.setattr(archive, limit, value)
    pack(tmp_path / "model.tar.gz", WHOLE)

    with pytest.raises(UserError, match=r"over the limit of .* for a model"):
        open_earlier(tmp_path)


def test_a_truncated_archive(tmp_path: Path) -> None:
    """Wherever the copy broke off, it is the copy that is at fault."""
    big = replace(MANIFEST, metrics={str(n): n for n in range(3000)})
    path = pack(tmp_path / "model.tar.gz", WHOLE | {"daal/manifest.json": big.to_json()})
    whole = path.read_bytes()

    for end in range(20, len(whole) - 20, len(whole) // 9):
        path.write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"cannot be unpacked|holds no"):
            open_earlier(tmp_path)
