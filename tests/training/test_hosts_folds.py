"""Cross-validation on two hosts: folds of all rows, figures over all rows, one file of answers."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from churn_daal.boosting.folds import folds
from churn_daal.contract.paths import SageMakerPaths

from .conftest import Run

RNG = np.random.default_rng(3)
X = RNG.normal(size=(400, 3)).round(3)
Y = (X[:, 0] + 0.7 * RNG.normal(size=400) > 0).astype(int)
# Uneven shares: an average of the hosts' own figures would be another number.
ORDER = np.argsort(Y + 0.6 * RNG.normal(size=400), kind="stable")
X, Y = X[ORDER], Y[ORDER]
CUT = 270
LINES = [f"{y},{','.join(map(str, x))}\n" for y, x in zip(Y, X.tolist(), strict=True)]
SHARDS = ("".join(LINES[:CUT]), "".join(LINES[CUT:]))
HP = {"objective": "binary:logistic", "_kfold": 4, "seed": 5, "num_round": 4}


def predictions(paths: SageMakerPaths) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels and the answers of predictions.csv."""
    with (paths.output_data / "predictions.csv").open() as file:
        rows = np.array([row[:2] for row in csv.reader(file)], float)
    return rows[:, 0], rows[:, 1]


def figures(paths: SageMakerPaths) -> dict[str, object]:
    """Return what metrics.json says of the answers out of fold."""
    found = json.loads((paths.output_data / "metrics.json").read_text())
    return dict(found["channels"]["out_of_fold"])


def lines(paths: SageMakerPaths) -> list[str]:
    """Return what a host wrote to stdout."""
    return (paths.base / "stdout").read_text().splitlines()


def test_the_folds_and_figures_are_of_the_rows_of_both_hosts(run: Run) -> None:
    """Those of one machine with the rows in the hosts' order; the first host alone tells them."""
    first, second = run(*SHARDS, eval_metric="auc,logloss,accuracy", **HP)

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    y, answers = predictions(first[2])
    assert y.tolist() == Y.tolist()
    found = figures(first[2])
    assert found["rows"] == 400
    assert found["auc"] == pytest.approx(roc_auc_score(y, answers), abs=1e-12)
    assert found["average_precision"] == pytest.approx(average_precision_score(y, answers))
    each = [
        (roc_auc_score(y[fold.held_rows], answers[fold.held_rows]), fold.held_rows)
        for fold in folds(Y.astype(np.float32), k=4, seed=5, stratify=True)
    ]
    mean = float(np.mean([auc for auc, _ in each]))
    told = [line for line in lines(first[2]) if line.startswith("[oof]\tcv-auc:")]
    assert len(told) == 1
    assert float(told[0].split("\t")[1].partition(":")[2]) == pytest.approx(mean, abs=1.5e-5)
    assert found["folds"]["validation"]["auc"]["mean"] == pytest.approx(mean, abs=2e-6)
    right = np.mean([np.mean((answers[held] >= 0.5) == y[held]) for _, held in each])
    assert found["folds"]["validation"]["accuracy"]["mean"] == pytest.approx(right, abs=1e-6)
    # What one fold's hosts would give on average is another figure.
    apart = [
        np.average(
            [
                roc_auc_score(y[part], answers[part])
                for part in (held[held < CUT], held[held >= CUT])
            ]
        )
        for _, held in each
    ]
    assert abs(float(np.mean(apart)) - mean) > 1e-3
    assert lines(second[2]) == []
    assert "fold 1:" not in second[1]
    assert not (second[2].output_data / "predictions.csv").exists()


@pytest.mark.parametrize("shards", [("".join(LINES), None), (None, "".join(LINES))])
def test_a_host_without_rows_takes_part(run: Run, shards: tuple[str | None, str | None]) -> None:
    """Every row is answered, also with weights and in repeats."""
    first, second = run(*shards, _num_cv_round=2, **HP)

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert predictions(first[2])[0].tolist() == Y.tolist()


def test_a_host_with_fewer_rows_than_folds_takes_part(run: Run) -> None:
    """In most folds it has nothing held out; classes are three, and rows have weights."""
    kinds = np.digitize(X[:, 0], [-0.4, 0.4])
    text = [
        f"{kind},{weight},{','.join(map(str, x))}\n"
        for kind, weight, x in zip(kinds, RNG.integers(1, 4, 400), X.tolist(), strict=True)
    ]
    given = {**HP, "objective": "multi:softprob", "num_class": 3, "csv_weights": 1}

    first, second = run("".join(text[:2]), "".join(text[2:]), eval_metric="auc", **given)

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert predictions(first[2])[0].tolist() == kinds.tolist()
    assert figures(first[2])["folds"]["validation"]["auc"]["folds"] == 4


def test_a_group_that_lies_on_both_hosts_is_on_one_side(run: Run) -> None:
    """The label is a number drawn for the group: only who trained on the group can know it."""
    group = np.tile(np.arange(50), 8)
    y = RNG.normal(size=50)[group]
    # A name to group by, and a feature that names the group to the trees.
    text = [
        f"{label:.4f},name-{g},{g},{x}\n" for label, g, x in zip(y, group, X[:, 0], strict=True)
    ]
    header = "y,customer,code,a\n"
    # Four lines of each group on either host.
    shards = header + "".join(text[:200]), header + "".join(text[200:])
    given = {**HP, "objective": "reg:squarederror", "num_round": 30, "max_depth": 6, "label": "y"}

    grouped = run(*shards, group="customer", **given)
    loose = run(*shards, drop_columns="customer", **given)

    assert [code for code, _, _ in grouped + loose] == [0] * 4, grouped[0][1] + loose[0][1]
    y_grouped, answers = predictions(grouped[0][2])
    assert y_grouped == pytest.approx(y, abs=1e-3)
    assert r2_score(y_grouped, answers) < 0.3
    assert r2_score(*predictions(loose[0][2])) > 0.9


def test_queries_of_libsvm_that_lie_on_both_hosts(run: Run) -> None:
    """Their numbers say which they are; the file's order is kept."""
    text = [
        f"{y} qid:{n % 40} 1:{a} 2:{b}\n"
        for n, (y, (a, b, _)) in enumerate(zip(Y, X.tolist(), strict=True))
    ]

    first, second = run(
        "".join(text[:CUT]), "".join(text[CUT:]), **{**HP, "objective": "rank:ndcg"}
    )

    assert (first[0], second[0]) == (0, 0), first[1] + second[1]
    assert predictions(first[2])[0].tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("rows", "more", "message"),
    [
        (3, {"objective": "reg:squarederror", "_kfold": 9}, "_kfold is 9 and the data has 6 row"),
        (
            200,
            {"objective": "reg:squarederror", "group": "1", "_kfold": 5},
            "_kfold is 5 and the data has 4 group",
        ),
    ],
)
def test_more_folds_than_there_is_to_divide(
    run: Run, rows: int, more: dict[str, object], message: str
) -> None:
    """Counted over both hosts, and said by both."""
    text = [f"{x[0]},{n % 4},{x[1]},{x[2]}\n" for n, x in enumerate(X.tolist())]

    ended = run("".join(text[:rows]), "".join(text[-rows:]), **{**HP, **more})

    for code, _, paths in ended:
        assert code == 1
        assert message in paths.failure.read_text()


def test_hosts_of_the_same_files_are_refused(run: Run) -> None:
    """Of FullyReplicated rows each is on both sides of a fold, which would flatter."""
    text = "".join(LINES)

    for code, _, paths in run(text, text, **HP):
        assert code == 1
        assert "have the same files" in paths.failure.read_text()
        assert "ShardedByS3Key" in paths.failure.read_text()


def test_a_missing_group_is_named_by_the_host_that_has_it(run: Run) -> None:
    """The other one has no such row, and points at none of its own."""
    header = "y,customer,a\n"
    good = [f"{y},c{n % 9},{x[0]}\n" for n, (y, x) in enumerate(zip(Y, X.tolist(), strict=True))]
    bad = [*good[200:230], "1,,0.5\n", *good[230:]]

    ended = run(
        header + "".join(good[:200]),
        header + "".join(bad),
        **{**HP, "label": "y", "group": "customer"},
    )

    for code, _, paths in ended:
        assert code == 1
        assert "row 32" in paths.failure.read_text()
    assert ended[0][2].failure.read_text().startswith("UserError: host '")
