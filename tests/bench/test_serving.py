"""The measurement of serving runs from end to end, and refuses what is no measurement."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
# In CI it is there: .ci/run installs it.
needs_wrk = pytest.mark.skipif(
    shutil.which("wrk") is None and "CI" not in os.environ,
    reason="wrk makes the load; Debian has it: apt-get install wrk",
)


def bench(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the measurement with a cache of its own."""
    return subprocess.run(
        [sys.executable, "-m", "bench.serving", *arguments],
        cwd=ROOT,
        env=os.environ | {"BENCH_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache for the models that several runs ask."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def found(home: Path) -> dict[str, Any]:
    """Return what the short version found."""
    done = bench(home, "--quick", "--out", str(home), "--note", "a test")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads((home / "serving.json").read_text())
    return document


@needs_wrk
def test_every_cell_is_measured(found: dict[str, Any]) -> None:
    """Ours and the plain app under every workload, raw records among them; nothing left out."""
    cells = {(cell["workload"], cell["server"]): cell for cell in found["cells"]}

    assert found["left_out"] == {}
    assert len(cells) == 8
    assert all(cell["rate"] > 0 and 0 < cell["p50"] <= cell["p99"] for cell in cells.values())
    assert max(cell["difference"] for cell in cells.values()) < 1e-5
    assert found["note"] == "a test"


@needs_wrk
def test_starts_memory_and_engines_are_measured(found: dict[str, Any]) -> None:
    """For each model and server; each engine for every number of rows."""
    assert {(one["model"], one["server"]) for one in found["starts"]} == {
        ("binary 20 x 3", "ours"),
        ("binary 20 x 3", "flask"),
        ("churn 20 x 3", "ours"),
        ("churn 20 x 3", "flask"),
    }
    assert all(one["seconds"] > 0 and one["worker_mb"] > 10 for one in found["starts"])
    assert {one["engine"] for one in found["engines"]} == {"onedal", "xgboost"}
    assert all(set(one["us"]) == {"1", "10", "100", "1000"} for one in found["engines"])


@needs_wrk
def test_the_tables_come_from_the_figures_alone(home: Path, found: dict[str, Any]) -> None:
    """`--table` prints again what the run wrote."""
    printed = bench(home, "--table", str(home / "serving.json")).stdout

    assert printed == (home / "serving.md").read_text()
    assert all(cell["workload"] in printed for cell in found["cells"])


@needs_wrk
def test_refused_requests_are_no_measurement(home: Path, found: dict[str, Any]) -> None:
    """A server that answers with an error is left out, and the run ends with another code."""
    assert found["cells"]
    arguments = ("--quick", "--ours", "small:MAX_CONTENT_LENGTH=200", "--peers", "ours-small")
    only = ("--workloads", "binary", "--engines", "", "--out", str(home / "refused"))

    done = bench(home, *arguments, *only)
    told = json.loads((home / "refused" / "serving.json").read_text())

    assert done.returncode == 2, done.stderr
    refused = told["left_out"]["ours-small on binary 20 x 3, json, 10 rows, 1 connections"]
    assert "answered 413" in refused
    assert [cell["workload"] for cell in told["cells"]] == [
        "binary 20 x 3, csv, 1 row, 16 connections"
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--peers", "ours,apache"], "no server apache; there are ours, ours-threads"),
        (["--workloads", "parquet"], "no workload has all of ['parquet']; there are"),
        (["--ours", "fast"], "expected NAME:VARIABLE=VALUE"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, arguments: list[str], reason: str) -> None:
    """With what there is instead, before anything runs."""
    done = bench(tmp_path, *arguments)

    assert done.returncode == 1
    assert reason in done.stderr


def test_the_page_shows_the_committed_figures() -> None:
    """docs/performance.md holds the tables that its JSON makes, to the letter."""
    page = PAGE.read_text(encoding="utf-8")
    figures = ROOT / "bench" / "results" / "serving.json"
    done = bench(Path(os.devnull), "--table", str(figures))

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in page
