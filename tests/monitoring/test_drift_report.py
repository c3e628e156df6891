"""The drift report on captured lines that come from requests which a real model answered."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from tests.deploy.sagemaker_runtime import captured_line

from churn_daal import artifact
from churn_daal.data import churn_csv
from churn_daal.monitoring.captured import exchanges, files_of
from churn_daal.monitoring.command import main
from churn_daal.monitoring.drift import Limits, psi
from churn_daal.serving.app import create_app
from churn_daal.serving.invocation import ModelService
from churn_daal.settings import ServeSettings

Record = dict[str, str]


@dataclass(frozen=True)
class Served:
    """A model in its app, and the folder where what it is asked is captured."""

    model: Path
    client: FlaskClient
    captured: Path
    output: Path

    @property
    def statistics(self) -> Path:
        """The training job's baseline."""
        return self.model.parent / "output" / "data" / "statistics.json"

    def ask(self, body: bytes, content_type: str, accept: str = "application/json") -> None:
        """Send a request and capture the exchange, whatever is answered."""
        headers = {"Content-Type": content_type, "Accept": accept}
        answer = self.client.post("/invocations", data=body, headers=headers)
        told = {"Content-Type": answer.headers["Content-Type"]}
        line = captured_line(headers, body, told, answer.data)
        file = self.captured / "churn/primary/2026/01/31/12/00-00-000.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as lines:
            lines.write(line + "\n")

    def report(self, *more: str, statistics: bool = True) -> tuple[int, dict[str, Any]]:
        """Run the command; return its exit status and drift.json."""
        given = ["--model", str(self.model), "--captured", str(self.captured)]
        if statistics:
            given += ["--statistics", str(self.statistics)]
        status = main([*given, "--output", str(self.output), *more])
        file = self.output / "drift.json"
        return status, json.loads(file.read_text()) if file.exists() else {}


@pytest.fixture
def served(churn_model: Path, tmp_path: Path) -> Served:
    """Serve the model of the first 1,200 customers."""
    app = create_app(ModelService(artifact.load(churn_model)), ServeSettings(Path("unused")))
    return Served(churn_model, app.test_client(), tmp_path / "captured", tmp_path / "report")


@pytest.fixture(scope="module")
def customers() -> list[Record]:
    """Return 1,500 customers that training has not seen, by name."""
    header, *rows = churn_csv().read_text().splitlines()
    names = header.split(",")[:-1]
    return [dict(zip(names, row.split(",")[:-1], strict=True)) for row in rows[1200:2700]]


def as_csv(records: Sequence[Record]) -> bytes:
    """Write records by position."""
    return "".join(",".join(record.values()) + "\n" for record in records).encode()


def as_json(records: Sequence[Record]) -> bytes:
    """Write records by name."""
    return json.dumps({"instances": records}).encode()


def as_parquet(records: Sequence[Record]) -> bytes:
    """Write records as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), sink)
    return sink.getvalue()


FORMATS: dict[str, tuple[Callable[[Sequence[Record]], bytes], str]] = {
    "csv": (as_csv, "text/csv"),
    "json": (as_json, "application/json"),
    "parquet": (as_parquet, "application/x-parquet"),
}


def drifted(report: dict[str, Any]) -> dict[str, set[str]]:
    """Return the checks that found something, by column."""
    found: dict[str, set[str]] = {}
    for violation in report["violations"]:
        found.setdefault(violation["feature_name"], set()).add(violation["constraint_check_type"])
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_customers_like_those_of_training_have_not_drifted(
    served: Served, customers: list[Record], name: str
) -> None:
    """Whatever the requests' format was; each row is counted once."""
    write, content_type = FORMATS[name]
    for start in range(0, 1500, 100):
        served.ask(write(customers[start : start + 100]), content_type)

    status, report = served.report("--fail-on-drift")

    assert (status, report["verdict"], report["violations"]) == (0, "no drift", [])
    assert (report["window"]["exchanges"], report["window"]["rows"]) == (15, 1500)
    assert report["answers"]["rows"] == 1500
    assert sum(report["answers"]["labels"].values()) == pytest.approx(1)
    assert all(column["psi"] is not None for column in report["columns"])


def test_what_changed_is_found_and_nothing_else(served: Served, customers: list[Record]) -> None:
    """A shift within the range, values beyond it, cells that go missing, a category nobody knew."""
    changed = [
        customer
        | {
            "Eve Mins": str(float(customer["Eve Mins"]) * 0.7),
            "Day Calls": str(int(customer["Day Calls"]) + (200 if place % 10 == 0 else 0)),
            "Night Mins": "" if place % 5 == 0 else customer["Night Mins"],
            "State": "Atlantis" if place % 20 == 0 else customer["State"],
            "Int'l Plan": "yes" if place % 2 == 0 else customer["Int'l Plan"],
        }
        for place, customer in enumerate(customers)
    ]
    served.ask(as_csv(changed), "text/csv")

    status, report = served.report("--fail-on-drift")

    assert (status, report["verdict"]) == (3, "drift")
    assert drifted(report) == {
        "Eve Mins": {"baseline_drift_check"},
        "Day Calls": {"baseline_drift_check"},
        "Night Mins": {"completeness_check"},
        "State": {"categorical_values_check"},
        "Int'l Plan": {"baseline_drift_check"},
    }
    columns = {column["name"]: column for column in report["columns"]}
    assert columns["Night Mins"]["missing"] == pytest.approx(0.2)
    assert columns["State"]["unseen"] == pytest.approx(0.05)
    assert columns["State"]["missing"] == 0
    # Two customers are beyond the range of the first 1,200 by themselves.
    assert columns["Day Calls"]["out_of_range"] == pytest.approx(152 / 1500)
    violations = json.loads((served.output / "constraint_violations.json").read_text())
    assert violations == {"violations": report["violations"]}


def test_without_statistics_shares_and_ranges_are_compared(
    served: Served, customers: list[Record]
) -> None:
    """The manifest is always there; a shift within the range is not seen by it."""
    changed = [
        customer | {"Eve Mins": str(float(customer["Eve Mins"]) * 0.7), "Day Mins": ""}
        for customer in customers
    ]
    served.ask(as_csv(changed), "text/csv")

    status, report = served.report(statistics=False)

    assert status == 0
    assert drifted(report) == {"Day Mins": {"completeness_check"}}
    assert report["baseline"] == "manifest"


def test_few_rows_give_figures_and_no_verdict(served: Served, customers: list[Record]) -> None:
    """Ten rows that are all alike prove nothing."""
    served.ask(as_csv(customers[:1] * 10), "text/csv")

    status, report = served.report("--fail-on-drift")

    assert (status, report["verdict"], report["violations"]) == (0, "too few rows", [])
    assert report["columns"][0]["psi"] > 1


def test_many_categories_and_few_rows_are_no_drift(served: Served, customers: list[Record]) -> None:
    """250 rows over 51 states differ from any others by chance, by more than the limit."""
    served.ask(as_csv(customers[:250]), "text/csv")

    _, report = served.report()

    state = next(column for column in report["columns"] if column["name"] == "State")
    assert state["psi"] > Limits().psi
    assert "State" not in drifted(report)


def test_requests_that_were_refused_are_counted_apart(
    served: Served, customers: list[Record]
) -> None:
    """Their rows are in no figure, those before the fault included; the first one is told."""
    served.ask(as_csv(customers[:300]), "text/csv")
    served.ask(as_csv(customers[:5]) + b"too,few\n", "text/csv")
    served.ask(b"<x/>", "application/xml")

    status, report = served.report()

    window = report["window"]
    assert (status, window["rows"], window["refused"]) == (0, 300, 2)
    assert "line 2: Loading csv data failed: row 6" in window["first_refusal"]


def test_another_models_requests_are_an_error(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report of no rows would look like one without drift."""
    served.ask(b"1,2\n3,4\n", "text/csv")

    status, report = served.report()

    assert (status, report) == (1, {})
    told = capsys.readouterr().err
    assert "no row of 1 exchanges can be read with the columns of" in told
    assert "2 values came, the model expects 19" in told
    assert not served.output.exists()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("{", "line 2: no JSON"),
        ("[1]", "line 2: there is no captureData"),
        ('{"captureData": {"endpointInput": {"data": "1", "encoding": "XML"}}}', "encodings CSV"),
        ('{"captureData": {"endpointInput": {"data": 1, "encoding": "CSV"}}}', "encodings CSV"),
        ('{"captureData": {"endpointInput": {"data": "1?", "encoding": "BASE64"}}}', "no base64"),
    ],
)
def test_a_line_that_is_none_of_sagemakers_is_named(
    served: Served, customers: list[Record], capsys: pytest.CaptureFixture[str], line: str,
    named: str,
) -> None:  # fmt: skip
    """By file and line; half a report would be worse than none."""
    served.ask(as_csv(customers[:1]), "text/csv")
    [file] = files_of(served.captured)
    file.write_text(file.read_text() + line + "\n")

    status, report = served.report()

    assert (status, report) == (1, {})
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["captured", "empty", "model", "statistics", "other", "output"])
def test_what_is_not_there_is_told_with_what_was_expected(
    served: Served, customers: list[Record], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], fault: str,
) -> None:  # fmt: skip
    """Exit status 1 and a line that names it."""
    served.ask(as_csv(customers[:1]), "text/csv")
    other = tmp_path / "statistics.json"
    other.write_text('{"features": [{"name": "x"}]}' if fault == "other" else "[]")
    taken = tmp_path / "taken"
    taken.write_text("")
    (tmp_path / "nothing").mkdir()
    given = {
        "captured": ("--captured", tmp_path / "absent", "is not there; expected captured data"),
        "empty": ("--captured", tmp_path / "nothing", "holds no .jsonl file"),
        "model": ("--model", tmp_path / "absent.tar.gz", "expected the model.tar.gz"),
        "statistics": ("--statistics", other, "is not that document"),
        "other": ("--statistics", other, "has no column 'State', which the model has"),
        "output": ("--output", taken, "cannot be written to"),
    }
    option, path, named = given[fault]

    assert served.report(option, str(path))[0] == 1

    assert named in capsys.readouterr().err


def test_only_answers_captured_is_told(
    served: Served, customers: list[Record], capsys: pytest.CaptureFixture[str]
) -> None:
    """An endpoint that captures its output alone says nothing of its input."""
    served.ask(as_csv(customers[:1]), "text/csv")
    [file] = files_of(served.captured)
    line = json.loads(file.read_text())
    del line["captureData"]["endpointInput"]
    file.write_text(json.dumps(line) + "\n")

    assert served.report()[0] == 1

    assert "(they hold none). Name the model that the endpoint serves, and capture its input" in (
        capsys.readouterr().err
    )


def test_what_was_captured_is_what_was_sent(served: Served, customers: list[Record]) -> None:
    """CSV as text, Parquet in base64: the bytes come back."""
    bodies = [as_csv(customers[:2]), as_parquet(customers[:2])]
    served.ask(bodies[0], "text/csv")
    served.ask(bodies[1], "application/x-parquet")

    read = list(exchanges(files_of(served.captured)))

    assert [one.request.body for one in read if one.request] == bodies


def test_the_index_is_the_textbooks() -> None:
    """By hand: (0.5 - 0.2) ln(0.5 / 0.2) + (0.5 - 0.8) ln(0.5 / 0.8)."""
    index, by_chance = psi(np.array([50.0, 50.0, 0.0]), np.array([20.0, 80.0, 0.0]))

    assert index == pytest.approx(0.3 * np.log(2.5) - 0.3 * np.log(0.625))
    assert by_chance == pytest.approx(0.02)


def test_rows_of_the_training_data_itself_have_what_chance_makes() -> None:
    """Over many draws, the index of a column without change is on average what is allowed for."""
    rng = np.random.default_rng(7)
    shares = rng.dirichlet(np.full(30, 5.0))
    draws = [
        psi(rng.multinomial(500, shares).astype(float), rng.multinomial(3000, shares).astype(float))
        for _ in range(300)
    ]

    assert np.mean([index for index, _ in draws]) == pytest.approx(draws[0][1], rel=0.15)


def test_the_module_is_a_program(served: Served, customers: list[Record]) -> None:
    """`python -m churn_daal.monitoring`, as a processing job starts it."""
    served.ask(as_csv(customers[:300]), "text/csv")

    done = subprocess.run(
        [sys.executable, "-m", "churn_daal.monitoring", "--model", str(served.model),
         "--captured", str(served.captured), "--output", str(served.output)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("no drift: 300 rows of 1 captured exchanges")
