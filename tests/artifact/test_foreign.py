"""Boosters that others trained are found, described and refused as they deserve."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xgboost

from churn_daal import artifact
from churn_daal.errors import ArtifactError, UserError

RNG = np.random.default_rng(7)
X = RNG.normal(size=(400, 5)).astype(np.float32)
X[RNG.random(X.shape) < 0.1] = np.nan
NAMES = ["age", "pay per day", "c", "d", "e"]
PARAMS = {"max_depth": 4, "eta": 0.4, "nthread": 1}


def target(objective: str) -> np.ndarray:
    """Return labels that an objective can learn from."""
    signal = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) ** 2
    if objective.startswith("binary:"):
        return (signal > 0.8).astype(int)
    if objective.startswith(("multi:", "rank:")):
        return np.digitize(signal, [0.2, 1.5])
    return np.exp(signal / 3)


def grow(
    objective: str, *, rounds: int = 12, names: list[str] | None = None, **params: object
) -> xgboost.Booster:
    """Train a small booster as stock XGBoost does."""
    if objective.startswith("multi:"):
        params["num_class"] = 3
    matrix = xgboost.DMatrix(X, target(objective), feature_names=names)
    shared = PARAMS if params.get("booster") != "gblinear" else {"nthread": 1}
    return xgboost.train({"objective": objective} | shared | params, matrix, rounds)


def expected(booster: xgboost.Booster) -> np.ndarray:
    """Ask stock XGBoost."""
    return booster.predict(xgboost.DMatrix(X), validate_features=False)


def largest(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(np.float64) - b).max())


OBJECTIVES = [
    *("binary:logistic", "binary:logitraw", "binary:hinge", "multi:softprob"),
    *("reg:squarederror", "reg:tweedie", "count:poisson", "rank:ndcg"),
]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("suffix", ["", ".ubj", ".json"])
def test_stock_models_are_answered_as_xgboost_answers(
    tmp_path: Path, objective: str, suffix: str
) -> None:
    """Whatever the file is called and in either form, through oneDAL."""
    booster = grow(objective)
    form = "json" if suffix == ".json" else "ubj"
    (tmp_path / f"xgboost-model{suffix}").write_bytes(booster.save_raw(form))

    model = artifact.load(tmp_path, threads=1)

    assert model.engine.name == "onedal"
    assert largest(model.predict(X), expected(booster)) <= 1e-5
    assert model.answers()


def test_softmax_answers_the_class_through_its_probabilities(tmp_path: Path) -> None:
    """The engine's answer is K probabilities, whose argmax is Booster.predict's class."""
    booster = grow("multi:softmax")
    booster.save_model(tmp_path / "model.ubj")

    model = artifact.load(tmp_path)

    np.testing.assert_array_equal(model.predict(X).argmax(axis=1), expected(booster))
    assert model.manifest.labels.classes == (0, 1, 2)


@pytest.mark.filterwarnings("ignore:.*gblinear. is deprecated:UserWarning")
@pytest.mark.parametrize("kind", ["gblinear", "dart"])
def test_what_onedal_cannot_hold_is_answered_by_xgboost(tmp_path: Path, kind: str) -> None:
    """With the reason in the manifest."""
    booster = grow("binary:logistic", booster=kind)
    booster.save_model(tmp_path / "model.json")

    model = artifact.load(tmp_path, threads=1)

    assert model.engine.name == "xgboost"
    assert "not convertible" in str(model.manifest.engine.reason)
    assert largest(model.predict(X), expected(booster)) <= 1e-6


def test_the_schema_comes_from_the_booster(tmp_path: Path) -> None:
    """Names where it has them, numbers, the class numbers, 0.5, libsvm as written."""
    (tmp_path / "churn").write_bytes(grow("binary:logistic", names=NAMES).save_raw("ubj"))

    manifest = artifact.audit(tmp_path)

    assert list(manifest.schema.names) == NAMES
    assert {column.kind for column in manifest.schema.columns} == {"number"}
    assert (manifest.labels.classes, manifest.threshold) == ((0, 1), 0.5)
    assert manifest.schema.index_base == 0
    assert artifact.load(tmp_path).manifest.engine.name == "onedal"


def test_without_names_columns_are_numbered(tmp_path: Path) -> None:
    """As XGBoost itself calls them."""
    grow("reg:squarederror").save_model(tmp_path / "m.ubj")

    manifest = artifact.audit(tmp_path)

    assert manifest.schema.names == ("f0", "f1", "f2", "f3", "f4")
    assert manifest.labels.classes == ()


def categorical(texts: pa.Array) -> tuple[xgboost.Booster, pa.Table]:
    """Train on a number and a categorical column."""
    table = pa.table({"n": pa.array(np.arange(60) % 7, pa.float32()), "c": texts})
    matrix = xgboost.DMatrix(table, np.arange(60) % 3 == 1, enable_categorical=True)
    return xgboost.train({"objective": "binary:logistic"} | PARAMS, matrix, 5), table


def test_categories_are_taken_by_their_text(tmp_path: Path) -> None:
    """XGBoost keeps the texts from 3.1 on; one it does not know counts as missing."""
    booster, table = categorical(pa.array(["u", "v", "w w"] * 20).dictionary_encode())
    booster.save_model(tmp_path / "model.ubj")

    model = artifact.load(tmp_path, threads=1)

    assert model.manifest.schema.columns[1].categories == ("u", "v", "w w")
    rows = model.encoder.from_text([["1", "4", "6"], ["w w", " v", "u"]])
    wanted = table.take([8, 4, 6])
    answers = booster.predict(xgboost.DMatrix(wanted, enable_categorical=True))
    assert wanted["c"].to_pylist() == ["w w", "v", "u"]
    np.testing.assert_array_equal(model.predict(rows), answers)
    assert np.isnan(model.encoder.from_text([["1"], ["never seen"]])[0, 1])


def test_categories_without_usable_texts_are_codes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Texts that the grammar of a cell would read otherwise (`NA` is missing) stay codes."""
    booster, _ = categorical(pa.array(["NA", "v", "w"] * 20).dictionary_encode())
    booster.save_model(tmp_path / "model.ubj")

    model = artifact.load(tmp_path, threads=1)

    assert model.manifest.schema.columns[1].kind == "number"
    assert "'c' has no texts in the model: send its codes" in caplog.text


def test_early_stopping_is_honoured(tmp_path: Path) -> None:
    """The model answers as XGBClassifier does, with the trees up to the best round."""
    fitted = xgboost.XGBClassifier(n_estimators=60, eta=0.9, early_stopping_rounds=5, max_depth=6)
    y = target("binary:logistic") ^ (RNG.random(len(X)) < 0.2)
    fitted.fit(X[:200], y[:200], eval_set=[(X[200:], y[200:])], verbose=False)
    assert fitted.best_iteration + 1 < fitted.get_booster().num_boosted_rounds()
    fitted.save_model(tmp_path / "model.json")

    model = artifact.load(tmp_path, threads=1)

    assert largest(model.predict(X), fitted.predict_proba(X)[:, 1]) <= 1e-5
    assert largest(model.predict(X), expected(fitted.get_booster())) > 1e-3


def test_what_else_lies_there_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Archives of local mode, hidden files, folders and files of other forms."""
    grow("binary:logistic").save_model(tmp_path / "model.ubj")
    for name in ("model.tar.gz", "output.tar.gz", ".ubj", "encoder.pkl", "notes.json"):
        (tmp_path / name).write_text('{"note": 1}')
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "other.ubj").write_bytes(b"{")

    model = artifact.load(tmp_path)

    assert [source.path for source in model.sources] == [tmp_path / "model.ubj"]
    assert "passed over in" in caplog.text
    assert "encoder.pkl, notes.json" in caplog.text


def test_a_spaced_json_is_a_booster(tmp_path: Path) -> None:
    """As json.dump with an indent writes it."""
    text = json.loads(bytes(grow("reg:squarederror").save_raw("json")))
    (tmp_path / "m").write_text(json.dumps(text, indent=1))

    assert artifact.load(tmp_path).answers()


def folds(folder: Path, objective: str, count: int = 3) -> list[xgboost.Booster]:
    """Save what AWS's `_kfold` leaves."""
    boosters = [grow(objective, rounds=5, seed=s, subsample=0.5) for s in range(count)]
    for place, booster in enumerate(boosters):
        (folder / f"xgboost-model-{place}").write_bytes(booster.save_raw("ubj"))
    return boosters


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "reg:tweedie"])
def test_folds_answer_their_mean(tmp_path: Path, objective: str) -> None:
    """As AWS's image answers for the models of a k-fold job."""
    boosters = folds(tmp_path, objective)

    model = artifact.load(tmp_path, threads=1)

    assert largest(model.predict(X), np.mean([expected(b) for b in boosters], axis=0)) <= 1e-5
    assert model.manifest.engine.name == model.engine.name == "onedal"


def test_folds_of_classes_vote(tmp_path: Path) -> None:
    """Not the mean of class numbers; between classes with as many votes the lowest wins."""
    boosters = folds(tmp_path, "multi:softmax", count=4)
    votes = np.array([expected(b) for b in boosters]).astype(int)
    counted = np.array([np.bincount(column, minlength=3) for column in votes.T])

    shares = artifact.load(tmp_path, threads=1).predict(X)

    np.testing.assert_array_equal(shares.argmax(axis=1), counted.argmax(axis=1))
    np.testing.assert_allclose(shares, counted / 4)
    assert (np.sort(counted, axis=1)[:, -2:] == 2).all(axis=1).any()


def test_folds_of_hinge_vote(tmp_path: Path) -> None:
    """A tie is the lower class, as the most frequent value is found."""
    boosters = folds(tmp_path, "binary:hinge", count=2)
    both = np.array([expected(b) for b in boosters])

    answers = artifact.load(tmp_path).predict(X)

    np.testing.assert_array_equal(answers, both.min(axis=0))
    assert (both[0] != both[1]).any()


def test_the_first_fold_alone(tmp_path: Path) -> None:
    """SAGEMAKER_INFERENCE_ENSEMBLE=false."""
    boosters = folds(tmp_path, "binary:logistic")

    model = artifact.load(tmp_path, ensemble=False, threads=1)

    assert largest(model.predict(X), expected(boosters[0])) <= 1e-5


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (lambda: grow("reg:tweedie", rounds=2), r"objective \(binary:logistic and reg:tweedie\)"),
        (lambda: grow("binary:logistic", rounds=2, names=NAMES), "columns,"),
    ],
)
def test_models_that_differ_do_not_answer_together(
    tmp_path: Path, other: Callable[[], xgboost.Booster], what: str
) -> None:
    """The mean of a probability and a price is neither."""
    folds(tmp_path, "binary:logistic", count=1)
    (tmp_path / "xgboost-model-1").write_bytes(other().save_raw("ubj"))

    with pytest.raises(ArtifactError, match=f"xgboost-model-1 differ in their {what}"):
        artifact.load(tmp_path)
    with pytest.raises(ArtifactError, match="SAGEMAKER_INFERENCE_ENSEMBLE=false"):
        artifact.audit(tmp_path)


@pytest.mark.parametrize("kind", [xgboost.Booster, xgboost.XGBRegressor])
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_pickle_is_refused_with_the_command_that_converts_it(
    tmp_path: Path, kind: type, protocol: int
) -> None:
    """And the command does: run where the model was made, its file is served."""
    booster = grow("reg:squarederror")
    model = booster
    if kind is xgboost.XGBRegressor:
        model = xgboost.XGBRegressor(n_estimators=3).fit(X, target("reg:"))
        booster = model.get_booster()
    (tmp_path / "xgboost-model").write_bytes(pickle.dumps(model, protocol))

    with pytest.raises(ArtifactError, match="is a pickle, which can run any code") as caught:
        artifact.load(tmp_path)

    command = str(caught.value).partition("where it was made: python -c ")[2]
    program = command.partition('"')[2].partition('"')[0]
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert largest(artifact.load(tmp_path).predict(X), expected(booster)) <= 1e-5


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("xgboost-model", b"binf\x00\x00\x00", "Convert it with the XGBoost that saved it: python"),
        ("model.txt", b"tree\nversion=v3", r"no booster in UBJ or JSON \(it holds: model.txt\)"),
        ("model.tar.gz", b"\x1f\x8b", r"holds: model.tar.gz\)"),
        ("m.json", b'{"learner": {"broken', "is no model XGBoost .* can read"),
        ("m.ubj", b"", "no booster in UBJ or JSON"),
    ],
)
def test_what_is_no_booster(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """Each is refused by name, with the remedy."""
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ArtifactError, match=message):
        artifact.load(tmp_path)


def test_an_unknown_objective(tmp_path: Path) -> None:
    """A model whose answers this release cannot make from its margins is not guessed at."""
    text = bytes(grow("reg:squarederror").save_raw("json")).replace(
        b'"reg:squarederror"', b'"reg:linearithm"'
    )
    (tmp_path / "m.json").write_bytes(text)

    with pytest.raises((ArtifactError, UserError), match="reg:linearithm"):
        artifact.load(tmp_path)


def test_a_damaged_folder_of_ours_is_not_taken_for_a_foreign_one(
    tmp_path: Path, churn_model: Path
) -> None:
    """Its booster reads encoded columns: without the manifest nobody knows which."""
    (tmp_path / "daal").mkdir()
    (tmp_path / "xgboost-model").write_bytes((churn_model / "xgboost-model").read_bytes())

    with pytest.raises(ArtifactError, match=r"has no daal/manifest\.json"):
        artifact.load(tmp_path)


def test_the_model_object_is_one_to_work_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a user's predict_fn is given: predict, predict_proba, and the booster itself."""
    booster = grow("binary:logistic")
    booster.save_model(tmp_path / "m.ubj")
    with caplog.at_level(logging.WARNING):
        model = artifact.load(tmp_path, threads=1)

    wide = X.astype(np.float64)

    assert largest(model.predict_proba(wide)[:, 1], expected(booster)) <= 1e-5
    np.testing.assert_allclose(model.predict_proba(wide).sum(axis=1), 1, atol=1e-6)
    assert largest(expected(model.booster), expected(booster)) == 0
    assert model.booster is model.booster


def test_probabilities_where_there_are_none(tmp_path: Path) -> None:
    """A regression has none to give."""
    grow("reg:squarederror").save_model(tmp_path / "m.ubj")

    with pytest.raises(ValueError, match="answers no probabilities"):
        artifact.load(tmp_path).predict_proba(X)
