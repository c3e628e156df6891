"""The documentation names what is there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from churn_daal.artifact.manifest import FORMAT_VERSION
from churn_daal.contract.pipes import WAIT_SECONDS
from churn_daal.serving.decoders import FORMATS
from churn_daal.serving.encoders import ENCODERS
from churn_daal.tabular.libsvm import parse
from churn_daal.tabular.libsvm_lines import MAX_INDEX

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page is a file of this repository."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_files_named_in_pages_exist(page: Path) -> None:
    """A path in backticks below one of the repository's folders is there."""
    named = re.findall(
        r"`((?:src|container|local_test|tests|docs|locks|bench|pipelines|deploy|cicd|\.ci)/[\w./-]+)`",
        page.read_text(encoding="utf-8"),
    )
    made_by_runs = "local_test/.run"

    assert [
        name for name in named if not name.startswith(made_by_runs) and not (ROOT / name).exists()
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_tests_named_in_pages_exist(page: Path) -> None:
    """A page that says which test holds a claim names a function of that file."""
    named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", page.read_text(encoding="utf-8"))

    assert [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ] == []


def test_the_comparison_names_a_test_for_each_defect() -> None:
    """Each test of `tests/aws_defects/` stands in its defect's row, and no row is without one."""
    text = (ROOT / "docs" / "compared_with_aws.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (X\d+) \|(.*)$", text, re.MULTILINE))
    tests = {
        name: file.name
        for file in (ROOT / "tests" / "aws_defects").glob("test_*.py")
        for name in re.findall(r"^def (test_x\d+_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }

    assert list(rows) == [f"X{number}" for number in range(1, 17)]
    assert {name.split("_")[1].upper() for name in tests} == set(rows)
    assert [
        name
        for name, file in tests.items()
        if f"tests/aws_defects/{file}::{name}`" not in rows[name.split("_")[1].upper()]
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_make_targets_named_in_pages_exist(page: Path) -> None:
    """`make X` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE))

    assert named <= targets


def test_http_lists_every_media_type() -> None:
    """docs/http.md has each type that is read or written."""
    text = (ROOT / "docs" / "http.md").read_text()

    assert [name for name in {*FORMATS, *ENCODERS} if f"`{name}`" not in text] == []


def test_the_format_version_is_documented() -> None:
    """docs/artifact.md describes the version that is written."""
    text = (ROOT / "docs" / "artifact.md").read_text()

    assert f"format version {FORMAT_VERSION}" in text


def test_the_libsvm_example_is_libsvm() -> None:
    """What docs/formats.md shows can be read, and its limits are the reader's."""
    text = (ROOT / "docs" / "formats.md").read_text()
    [example] = re.findall(r"```libsvm\n(.*?)```", text, re.DOTALL)

    assert len(parse(example.encode())) == 3
    assert f"from 0 to {MAX_INDEX}" in text
    assert f"within {WAIT_SECONDS:g} seconds" in text


def test_the_pipelines_parameters_are_documented() -> None:
    """docs/pipelines.md has each parameter, and its default where it is no address."""
    text = (ROOT / "docs" / "pipelines.md").read_text()
    section = text.partition("## Parameters")[2].partition("## The steps")[0]
    rows = {
        tuple(re.findall(r"`(\w+)`", line.split("|")[1])): line
        for line in section.splitlines()
        if line.startswith("| `")
    }
    documented = [name for names in rows for name in names]
    definition = json.loads((ROOT / "pipelines" / "definition.example.json").read_text())

    assert sorted(documented) == sorted(p["Name"] for p in definition["Parameters"])
    for parameter in definition["Parameters"]:
        [row] = [line for names, line in rows.items() if parameter["Name"] in names]
        default = str(parameter["DefaultValue"])
        assert "://" in default or "amazonaws" in default or default in row.split("|")[2], parameter


def test_the_pipelines_arguments_are_documented() -> None:
    """docs/pipelines.md has each argument of get_pipeline."""
    text = (ROOT / "docs" / "pipelines.md").read_text()
    section = text.partition("## Arguments of")[2].partition("## Parameters")[0]
    documented = [
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    tree = ast.parse((ROOT / "pipelines" / "pipeline.py").read_text())
    [function] = [n for n in tree.body if getattr(n, "name", None) == "get_pipeline"]
    assert isinstance(function, ast.FunctionDef)

    own = [a.arg for a in (*function.args.args, *function.args.kwonlyargs)]
    assert sorted(documented) == sorted(own)


def test_every_page_is_linked_from_the_readme() -> None:
    """A page nobody links is a page nobody reads."""
    readme = (ROOT / "README.md").read_text()

    assert [p.name for p in (ROOT / "docs").glob("*.md") if f"docs/{p.name}" not in readme] == []
