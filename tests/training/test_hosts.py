"""Two hosts train as one: real processes, each with its own `/opt/ml`, over the loopback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact, training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal

from .conftest import LayJob, Run

RNG = np.random.default_rng(11)
X = RNG.normal(size=(400, 3)).round(3)
PLAN = np.where(X[:, 2] > 0, "gold", "basic")
Y = np.where(X[:, 0] + (PLAN == "gold") + 0.5 * RNG.normal(size=400) > 0, "yes", "no")
HEADER = "y,a,b,plan\n"
ROWS = [f"{y},{a},{b},{p}\n" for y, (a, b, _), p in zip(Y, X.tolist(), PLAN, strict=True)]
LIBSVM = [f"{int(y == 'yes')} 1:{a} 3:{b}\n" for y, (a, b, _) in zip(Y, X.tolist(), strict=True)]


def rounds(paths: SageMakerPaths) -> int:
    """Return the rounds of a saved model."""
    data = bytearray((paths.model / "xgboost-model").read_bytes())
    return int(xgboost.Booster(model_file=data).num_boosted_rounds())


def test_shards_learn_one_schema(run: Run) -> None:
    """A category, a class and text among numbers that one host alone has are known to both."""
    plain = [row for row, plan in zip(ROWS, PLAN, strict=True) if plan == "basic"]
    others = [row for row, plan in zip(ROWS, PLAN, strict=True) if plan == "gold"]

    first, second = run(HEADER + "".join(plain), HEADER + "".join(others))

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    manifest = artifact.audit(first[2].model)
    assert manifest.labels.classes == ("no", "yes")
    assert manifest.schema.columns[2].categories == ("basic", "gold")
    assert manifest.metrics["rows"] == 80
    assert rounds(first[2]) == 5
    assert list(second[2].model.iterdir()) == []
    quality = json.loads((first[2].output_data / "data_quality.json").read_text())
    assert quality["channels"]["train"]["rows"] == 400


def test_the_ranges_are_those_of_all_hosts(run: Run) -> None:
    """The manifest's smallest and largest value of a column may each lie on another host."""
    places = X[:, 0].argsort()
    low, high = places[:200], places[200:]
    shards = [HEADER + "".join(ROWS[place] for place in half) for half in (low, high)]

    jobs = run(*shards, label="y")

    assert [code for code, _, _ in jobs] == [0, 0]
    known = artifact.audit(jobs[0][2].model).statistics
    assert known.range_of("a") == (np.float32(X[:, 0].min()), np.float32(X[:, 0].max()))


def test_numbers_on_one_host_are_text_on_another(run: Run) -> None:
    """The host with numbers reads its column again, as the text it was."""
    codes = [f"{row.rpartition(',')[0]},{n % 3}\n" for n, row in enumerate(ROWS[:100])]

    first, second = run(HEADER + "".join(codes), HEADER + "".join(ROWS[100:]))

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    categories = artifact.audit(first[2].model).schema.columns[2].categories
    assert categories == ("0", "1", "2", "basic", "gold")


@pytest.mark.parametrize("texts", [(HEADER + "".join(ROWS), None), (None, HEADER + "".join(ROWS))])
def test_a_host_without_rows_takes_part(run: Run, texts: tuple[str | None, str | None]) -> None:
    """Whichever it is, the first host writes the model."""
    first, second = run(*texts)

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert rounds(first[2]) == 5
    assert artifact.load(first[2].model).answers()


def test_sparse_shards_share_width_and_index_base(run: Run) -> None:
    """Index 0 on one host makes both count from 0; the widest host sets the width."""
    zero = [row.replace(" 1:", " 0:").replace(" 3:", " 5:") for row in LIBSVM[200:]]

    first, second = run("".join(LIBSVM[:200]), "".join(zero), objective="binary:logistic")

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    schema = artifact.audit(first[2].model).schema
    assert (schema.width, schema.index_base) == (6, 0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (HEADER + "yes,1,x,gold\n" * 2 + "".join(ROWS[200:]), "row 2, column 3 ('b'): 'x' is not"),
        (HEADER.replace("plan", "tier") + "".join(ROWS[200:]), "same columns"),
        (HEADER + "maybe,1,2,gold\n" + "".join(ROWS[200:]), "it has 3: 'maybe', 'no', 'yes'"),
    ],
)
def test_bad_data_on_one_host_ends_both(run: Run, bad: str, message: str) -> None:
    """The host says what is wrong; the other fails as well; no model is written."""
    first, second = run(HEADER + "".join(ROWS[:200]), bad, objective="binary:logistic")

    assert (first[0], second[0]) == (1, 1)
    assert message in second[2].failure.read_text()
    assert first[2].failure.read_text().startswith("UserError: ")
    assert list(first[2].model.iterdir()) == []


def put(paths: SageMakerPaths, channel: str, text: str | None) -> None:
    """Write a channel's one file; a host without a share of them has the folder alone."""
    paths.channel(channel).mkdir(parents=True)
    if text is not None:
        (paths.channel(channel) / "rows.csv").write_text(text)


def test_a_host_without_validation_rows_lends_none_of_its_train_rows(run: Run) -> None:
    """Only the rows of the validation channel are scored, whichever host has them."""
    held = [None, HEADER + "".join(ROWS[:90])]

    def prepare(host: int, paths: SageMakerPaths) -> None:
        put(paths, "validation", held[host])

    text = HEADER + "".join(ROWS[90:])
    first, second = run(text, text, prepare=prepare)

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert artifact.audit(first[2].model).metrics["rows"] == 90


def test_a_validation_channel_without_rows_on_any_host_is_refused(run: Run) -> None:
    """Before the fit, and on all hosts."""
    text = HEADER + "".join(ROWS)

    for code, _, paths in run(text, text, prepare=lambda _, p: put(p, "validation", None)):
        assert code == 1
        assert "no host has a row to hold out" in paths.failure.read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_round": "6"}, "differ in the hyperparameters"),
        ({"early_stopping_rounds": "2"}, "differ in the hyperparameters"),
        ({}, "differ in the earlier model"),
    ],
)
def test_hosts_of_two_minds_are_told_so(
    run: Run, lay_job: LayJob, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    """Before the first round: one that runs more rounds, or other trees, would hang or mislead."""
    text = HEADER + "".join(ROWS)
    earlier = [lay_job(tmp_path / f"earlier{n}", text, num_round=n + 1) for n in range(2)]
    for paths in earlier:
        training.run(paths, StopSignal())

    def prepare(host: int, paths: SageMakerPaths) -> None:
        if not change:
            shutil.copytree(earlier[host].model, paths.channel("model"))
        elif host:
            given = json.loads(paths.hyperparameters.read_text())
            paths.hyperparameters.write_text(json.dumps(given | change))

    for code, _, paths in run(text, text, prepare=prepare):
        assert code == 1
        assert message in paths.failure.read_text()
        assert list(paths.model.iterdir()) == []
