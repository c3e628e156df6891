"""What AWS's image misreads without a word: libsvm, CSV, many files (X3, X5, X14)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.request import Request

from .jobs import RunJob, StartJob, contents, csv_text, put

RNG = np.random.default_rng(13)
X = RNG.integers(1, 40, (200, 8)) / 4
Y = (X[:, 1] > X[:, 2]).astype(int)


def libsvm_text(part: slice, base: int, *, first: int = 0) -> str:
    """Return rows as libsvm, counted from `base`; features before `first` are left out."""
    return "".join(
        " ".join([str(y), *(f"{k + base}:{value}" for k, value in enumerate(x) if k >= first)])
        + "\n"
        for x, y in zip(X[part], Y[part], strict=True)
    )


@pytest.mark.parametrize("base", [0, 1])
def test_x3_libsvm_has_the_columns_that_were_written(run: RunJob, base: int) -> None:
    """X3: indices 1 to 8 are eight features, not nine, and the model keeps where they start."""
    job = run({"rows.libsvm": libsvm_text(slice(None), base)}, objective="binary:logistic")

    assert len(job.manifest.schema.columns) == job.booster.num_features() == 8
    assert job.manifest.schema.index_base == base


@pytest.mark.parametrize("base", [0, 1])
def test_x3_rows_that_lack_the_first_feature_are_not_shifted(run: RunJob, base: int) -> None:
    """X3: held rows from the second feature on score as the CSV with empty cells, to the bit."""
    given = {"objective": "binary:logistic", "eval_metric": "logloss"}
    train, held = slice(0, 140), slice(140, 200)
    empty = [""] * 60
    expected = run(
        csv_text(Y[train], *X[train].T), csv_text(Y[held], empty, *X[held, 1:].T), **given
    )

    job = run(
        {"rows.libsvm": libsvm_text(train, base)},
        {"rows.libsvm": libsvm_text(held, base, first=1)},
        **given,
    )

    assert job.scores("logloss") == expected.scores("logloss")


@pytest.mark.parametrize("base", [0, 1])
def test_x3_the_models_own_rule_reads_a_request(run: RunJob, base: int) -> None:
    """X3: by the stored rule, lines from the second feature on are answered as their CSV rows."""
    job = run({"rows.libsvm": libsvm_text(slice(None), base)}, objective="binary:logistic")
    model = artifact.load(job.paths.model)
    lines = libsvm_text(slice(None), base, first=1)
    rows = csv_text([""] * len(X), *X[:, 1:].T)

    from_libsvm, from_csv = (
        ModelService(model).answer(Request(memoryview(body.encode()), kind)).body
        for kind, body in (("text/libsvm", lines), ("text/csv", rows))
    )

    assert len(from_csv.split()) == len(X)
    assert from_libsvm == from_csv


NUMBERS = "".join(f"{n % 2},{n % 7},{n % 5}\n" for n in range(40))


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        (NUMBERS + "1,abc,2\n", {}, "rows.csv: row 41, column 2: 'abc' is not a number"),
        (NUMBERS + "yes,1,2\n", {}, "rows.csv: row 41, column 1: label 'yes' is not a number"),
        (NUMBERS + ",1,2\n", {}, "rows.csv: row 41, column 1"),
        ("y,a,b\n" + NUMBERS, {"header": "absent"}, "rows.csv: row 1, column"),
        (NUMBERS + "1,2019-01-01,2\n", {}, "'2019-01-01' is a date"),
        (
            NUMBERS.replace(",0,", ",2019-01-01,", 1),
            {},
            "whether row 1 is a header: the word '2019-",
        ),
        (NUMBERS + '1,"1,5",2\n', {}, "rows.csv: row 41, column 2: '1,5' is not a number"),
        (NUMBERS + "1,2\n", {}, "rows.csv: row 41: 2 values, but the first row has 3"),
        (NUMBERS + "1,1e39,2\n", {}, "rows.csv: row 41, column 2"),
    ],
    ids=["text", "label", "no label", "header", "date", "a date first", "comma", "short", "huge"],
)
def test_x5_garbage_is_refused_by_file_row_and_column(
    run: RunJob, text: str, given: dict[str, object], message: str
) -> None:
    """X5: no cell becomes missing, no header a row of label 0, no date a year without a word."""
    with pytest.raises(UserError) as caught:
        run(text, **given)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "".join(",".join(f'"{c}"' for c in line.split(",")) + "\n" for line in NUMBERS.split()),
        "y,f0,f1\n" + NUMBERS,
        '"y","f0","f1"\r\n' + NUMBERS.replace("\n", "\r\n"),
        NUMBERS.replace(",", " , "),
    ],
    ids=["quoted", "header", "quoted header", "blanks"],
)
def test_x5_quotes_and_headers_are_read_right(run: RunJob, text: str) -> None:
    """X5: quoted numbers and a header line give the model of the bare numbers, to the bit."""
    plain, other = run(NUMBERS), run(text)

    assert other.booster.save_raw("ubj") == plain.booster.save_raw("ubj")
    assert other.manifest.metrics == plain.manifest.metrics


def test_x14_processes_with_other_hashes_give_equal_bytes(
    lay_job: Callable[..., SageMakerPaths], start: StartJob, tmp_path: Path
) -> None:
    """X14: many files in many folders, a sampled model, three PYTHONHASHSEEDs, two file orders."""
    rows = csv_text(Y, *X.T).splitlines(keepends=True)
    places = [f"{'zmab'[n % 4]}/{n * 7919 % 101}/part{n % 3}.csv" for n in range(20)]
    files = {
        name: "".join(rows[10 * n : 10 * n + 10]) for n, name in enumerate(sorted(set(places)))
    }
    assert len(files) == 20
    jobs = {}
    for hash_seed in ("0", "1", "4242"):
        paths = lay_job(tmp_path / hash_seed, num_round=8, subsample=0.5, nthread=1)
        # Written in another order, a folder may list its files in another order.
        order = sorted(files, reverse=hash_seed == "1")
        put(paths, "train", {name: files[name] for name in order})
        jobs[hash_seed] = (paths, start(paths, PYTHONHASHSEED=hash_seed))

    found = []
    for paths, process in jobs.values():
        printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        found.append((printed, contents(paths.model), contents(paths.output_data)))

    assert found[0] == found[1] == found[2]
    assert len(found[0][0].splitlines()) == 8
