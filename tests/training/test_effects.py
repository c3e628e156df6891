"""What a job was asked for shows in the model it saves, and not in its settings alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import xgboost

from churn_daal import __version__, artifact, training
from churn_daal.artifact import Manifest
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal

RunJob = Callable[..., Manifest]
# A label of two words, a number, a code in digits and a text of three values.
WORDS = "y,x,c,g\n" + "".join(
    f"{('no', 'yes')[n % 2]},{n % 7},{n % 3},{'abd'[n % 3]}\n" for n in range(60)
)
CODES = "y,x\n" + "".join(f"{n % 3},{n % 3 + n % 2}\n" for n in range(60))
VALUES = "y,x\n" + "".join(f"{n * n},{n % 9}\n" for n in range(60))
# Nothing but text: row 1 may be a header or data.
TEXTS = "y,c\n" + "".join(f"{('no', 'yes')[n % 2]},{'abd'[n % 3]}\n" for n in range(40))


@pytest.fixture(name="run_job")
def _run_job(lay_job: Callable[..., SageMakerPaths], tmp_path: Path) -> RunJob:
    def run(
        text: str, *, content_type: str | None = None, held_out: str | None = None, **given: object
    ) -> Manifest:
        """Run a job of two rounds in its own folder; return what the saved folder says."""
        base = tmp_path / str(len(list(tmp_path.iterdir())))
        paths = lay_job(base, text, **{"num_round": 2, "nthread": 1, **given})
        if content_type is not None:
            channels = {"train": {"ContentType": content_type}}
            paths.input_data_config.write_text(json.dumps(channels))
        if held_out is not None:
            paths.channel("validation").mkdir()
            (paths.channel("validation") / "held.csv").write_text(held_out)
        training.run(paths, StopSignal())
        return artifact.audit(paths.model)

    return run


def _encodings(saved: Manifest) -> dict[str, str | None]:
    return {column.name: column.encoding for column in saved.schema.columns}


def _roles(saved: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return saved.schema.names, saved.schema.ignored


def _thresholds(saved: Manifest) -> tuple[float, float]:
    return saved.threshold, saved.metrics["threshold"]


ALL = ("x", "c", "g")


@pytest.mark.parametrize(
    ("given", "read", "expected"),
    [
        ({}, _thresholds, (0.5, 0.5)),
        ({"threshold": 0.9}, _thresholds, (0.9, 0.9)),
        ({}, attrgetter("labels.classes"), ("no", "yes")),
        ({"positive_label": "no"}, attrgetter("labels.classes"), ("yes", "no")),
        ({}, _encodings, {"x": None, "c": None, "g": "onehot"}),
        ({"categorical_columns": "c"}, _encodings, {"x": None, "c": "onehot", "g": "onehot"}),
        ({"max_onehot_categories": 2}, _encodings, {"x": None, "c": None, "g": "ordinal"}),
        ({"category_encoding": "ordinal"}, _encodings, {"x": None, "c": None, "g": "ordinal"}),
        (
            {"category_encoding": "onehot", "max_onehot_categories": 2},
            _encodings,
            {"x": None, "c": None, "g": "onehot"},
        ),
        ({}, _roles, (ALL, ("y",))),
        ({"id_columns": "c"}, _roles, (("x", "g"), ("y", "c"))),
        ({"drop_columns": "x,g"}, _roles, (("c",), ("y", "x", "g"))),
        ({"weight": "x"}, _roles, (("c", "g"), ("y", "x"))),
        ({"label": "g", "objective": "multi:softprob"}, _roles, (("y", "x", "c"), ("g",))),
        ({}, lambda saved: saved.metrics["rows"], 12),
        ({"validation_fraction": 0.5}, lambda saved: saved.metrics["rows"], 30),
    ],
)
def test_a_hyperparameter_shows_in_the_saved_model(
    run_job: RunJob, given: dict[str, object], read: Callable[[Manifest], object], expected: object
) -> None:
    """Each takes effect, and without it the default does."""
    assert read(run_job(WORDS, **given)) == expected


def test_the_saved_model_keeps_what_was_given(run_job: RunJob) -> None:
    """The job's hyperparameters as text, without SageMaker's own, and the libraries' versions."""
    given = {"num_round": "3", "eta": "0.10", "nthread": "1", "label": "0"}

    saved = run_job(WORDS, sagemaker_region="x", **given)

    assert saved.hyperparameters == given
    assert saved.versions["churn_daal"] == __version__
    assert saved.versions["xgboost"] == xgboost.__version__


def test_the_saved_model_says_why_xgboost_answers(run_job: RunJob) -> None:
    """A linear model has no trees to convert."""
    engine = run_job(VALUES, booster="gblinear").engine

    assert engine.name == "xgboost"
    assert "not convertible to oneDAL" in (engine.reason or "")


@pytest.mark.parametrize(
    ("text", "given", "warnings"),
    [
        (VALUES, {}, []),
        (VALUES, {"objective": "reg:linear"}, ["old name of reg:squarederror"]),
        (
            WORDS,
            {"held_out": WORDS.replace("d", "z")},
            ["column 'g': 20 cells of channel 'validation'"],
        ),
    ],
)
def test_the_log_warns_where_it_should(
    run_job: RunJob,
    caplog: pytest.LogCaptureFixture,
    text: str,
    given: dict[str, Any],
    warnings: list[str],
) -> None:
    """Of what the user should mend, and of nothing else: numbers are no classes to split by."""
    run_job(text, **given)

    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [part in line for part, line in zip(warnings, told, strict=True)] == [True] * len(told)


@pytest.mark.parametrize(("given", "mark"), [(";", ";"), ("tab", "\t"), ("|", "|")])
def test_the_delimiter_parts_the_cells(run_job: RunJob, given: str, mark: str) -> None:
    """Commas are then text like any other, and serving is told the same delimiter."""
    text = WORDS.replace(",", mark).replace("b", "a,b")

    saved = run_job(text, delimiter=given)

    assert (saved.schema.names, saved.schema.delimiter) == (ALL, mark)
    assert saved.schema.columns[-1].categories == ("a", "a,b", "d")


@pytest.mark.parametrize(
    ("header", "content_type", "names"),
    [
        ("present", None, ("c",)),
        ("absent", None, ("f0",)),
        ("auto", "text/csv; header=present", ("c",)),
        ("auto", "text/csv; header=absent", ("f0",)),
        ("auto", "text/csv; Header=Present", ("c",)),
        ("present", "text/csv; header=absent", ("c",)),
        ("absent", "text/csv; header=present", ("f0",)),
    ],
)
def test_the_header_is_as_declared(
    run_job: RunJob, header: str, content_type: str | None, names: tuple[str, ...]
) -> None:
    """Text over text is read as told: by the hyperparameter, then by the content type."""
    saved = run_job(TEXTS, content_type=content_type, header=header)

    assert saved.schema.names == names


@pytest.mark.parametrize(("text", "names"), [(VALUES, ("x",)), (VALUES[4:], ("f0",))])
def test_another_header_parameter_says_nothing(
    run_job: RunJob, text: str, names: tuple[str, ...]
) -> None:
    """A value that the content type does not know leaves it to the first row."""
    assert run_job(text, content_type="text/csv; header=maybe").schema.names == names


@pytest.mark.parametrize(("given", "classes"), [({}, 3), ({"num_class": 5}, 5)])
def test_classes_that_no_row_has(run_job: RunJob, given: dict[str, object], classes: int) -> None:
    """With num_class the model answers a probability for a class still to come."""
    saved = run_job(CODES, objective="multi:softprob", **given)

    assert saved.num_class == len(saved.labels.classes) == classes
    assert len(saved.metrics["confusion_matrix"]) == classes


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize(("labels", "held"), [("ab", [18, 2]), ("abc", [16, 2, 2])])
def test_rare_classes_are_held_out_in_their_share(
    run_job: RunJob, labels: str, held: list[int], seed: int
) -> None:
    """A tenth of the rows stays a tenth of the held-out ones, whatever the seed."""
    rare = dict(enumerate(labels[1:], start=1))
    text = "y,x\n" + "".join(f"{rare.get(n % 10, 'a')},{n}\n" for n in range(100))

    saved = run_job(text, seed=seed)

    assert [sum(row) for row in saved.metrics["confusion_matrix"]] == held


def test_held_out_rows_are_not_learned_from(run_job: RunJob) -> None:
    """A model that knows each row it was fitted on by heart misses the others."""
    by_heart = {"num_round": 20, "eta": 1, "lambda": 0, "max_depth": 20, "min_child_weight": 0}
    text = "y,x\n" + "".join(f"{n * 37 % 101},{n}\n" for n in range(60))

    assert run_job(text, **by_heart).metrics["rmse"] > 10
    assert run_job(text, held_out=text, **by_heart).metrics["rmse"] < 1


@pytest.mark.parametrize("given", [{}, {"held_out": VALUES, "subsample": 0.3}])
def test_the_seed_draws_rows(run_job: RunJob, given: dict[str, Any]) -> None:
    """Those held out, or those of each round: equal seeds give equal figures, others do not."""
    figures = [run_job(VALUES, seed=seed, **given).metrics["rmse"] for seed in (1, 1, 2)]

    assert figures[0] == figures[1] != figures[2]


def _weighted(far: int) -> str:
    """Rows with y=x of weight 1, and in between rows with y=1000 of the weight given."""
    return "y,x,w\n" + "".join(f"{n % 4},{n % 4},1\n1000,{n % 4},{far}\n" for n in range(24))


def test_rows_without_weight_do_not_count(run_job: RunJob) -> None:
    """Neither to learn from nor to score on, whether split off or of the validation channel."""
    settings: dict[str, Any] = {"weight": "w", "num_round": 30}
    near = "y,x,w\n" + "".join(f"{n},{n},1\n" for n in range(4))

    def error(far: int, held_out: str | None) -> float:
        return run_job(_weighted(far), held_out=held_out, **settings).metrics["rmse"]

    assert max(error(0, near), error(0, None), error(0, _weighted(0))) < 1
    assert min(error(1, near), error(1, None), error(0, _weighted(1))) > 100


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:logistic"])
def test_the_saved_figures_are_those_of_the_last_line(
    run_job: RunJob, capsys: pytest.CaptureFixture[str], objective: str
) -> None:
    """On weighted labels between 0 and 1 the manifest and XGBoost's own line agree."""
    text = "y,x,w\n" + "".join(f"{n % 11 / 10},{n % 7},{1 + n % 3}\n" for n in range(60))
    name = {"binary:logistic": "logloss", "reg:logistic": "rmse"}[objective]

    saved = run_job(text, objective=objective, weight="w", eval_metric=name, num_round=5)

    printed = float(capsys.readouterr().out.splitlines()[-1].rpartition(":")[2])
    assert saved.objective == objective
    assert saved.metrics[name] == pytest.approx(printed, abs=1e-5)
