"""Each dependency has its reason on record, and each record its dependency."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = {"runtime": PROJECT["project"]["dependencies"], **PROJECT["dependency-groups"]}


@pytest.mark.parametrize("group", GROUPS)
def test_page_and_project_agree(group: str) -> None:
    """docs/dependencies.md has one filled row for each direct dependency, group by group."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    section = re.search(rf"^## `{group}`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/dependencies.md has no section `{group}`"
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (.+?) \|$", section[1], re.MULTILINE)

    assert sorted(row[0] for row in rows) == sorted(
        Requirement(text).name for text in GROUPS[group]
    )
    assert all(cell.strip() for row in rows for cell in row)
