"""Importance is XGBoost's own, summed by raw column, and bounded in cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xgboost

from churn_daal.report import contributions as module
from churn_daal.report import importance as importance_module
from churn_daal.report.contributions import contributions, sample_rows
from churn_daal.report.importance import Importance, Score, score_columns
from churn_daal.tabular.schema import Column, Schema

SCHEMA = Schema(
    (
        Column("noise", "number"),
        Column("plan", "category", "onehot", ("a", "b", "c")),
        Column("strong", "number"),
        Column("empty", "category", "onehot", ()),
        Column("flag", "boolean"),
    )
)
RNG = np.random.default_rng(0)
PLAN = RNG.integers(0, 3, 600)
X = np.column_stack(
    [RNG.normal(size=600), *(np.eye(3)[PLAN].T), RNG.normal(size=600), RNG.integers(0, 2, 600)]
).astype(np.float32)
MARGIN = 3 * X[:, 4] + 2 * (PLAN == 1) - (PLAN == 2)


def train(objective: str, **params: Any) -> xgboost.Booster:  # noqa: ANN401 - XGBoost's own
    """Train a booster that `strong` and `plan` decide."""
    y: np.ndarray = MARGIN > 0
    if objective.startswith("multi:"):
        y = np.digitize(MARGIN, [-1, 1])
        params["num_class"] = 3
    params |= {"objective": objective, "max_depth": 3, "nthread": 1, "verbosity": 0}
    with xgboost.config_context(verbosity=0):
        return xgboost.train(params, xgboost.DMatrix(X, y.astype(np.float32)), 6)


def by_name(scores: tuple[Score, ...]) -> dict[str, Score]:
    """Return scores by column."""
    return {score.column: score for score in scores}


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "reg:squarederror"])
@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_tree_scores_are_xgboost_s(objective: str, booster: str) -> None:
    """Encoded columns have get_score's figures; a category's are the sums of its codes'."""
    model = train(objective, booster=booster, **({"rate_drop": 0.3} if booster == "dart" else {}))
    found = score_columns(model, X[:100], SCHEMA, threads=1)
    encoded, raw = by_name(found.encoded), by_name(found.columns)

    for kind in ("gain", "total_gain", "cover", "total_cover", "weight"):
        expected = model.get_score(importance_type=kind)
        for place, name in enumerate(SCHEMA.encoded_names):
            score = getattr(encoded[name], kind)
            assert score == pytest.approx(expected.get(f"f{place}", 0.0), rel=1e-5)
    codes = [encoded[f"plan={code}"] for code in "abc"]
    assert raw["plan"].weight == sum(code.weight or 0 for code in codes)
    assert raw["plan"].total_gain == pytest.approx(sum(code.total_gain or 0 for code in codes))
    assert raw["plan"].gain == pytest.approx(
        (raw["plan"].total_gain or 0) / (raw["plan"].weight or 1)
    )
    assert [found.columns[0].column, found.columns[1].column] == ["strong", "plan"]


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_shap_means_are_xgboost_s(objective: str) -> None:
    """SHAP is the mean absolute contribution; codes of one category are summed in each row."""
    model = train(objective)
    found = score_columns(model, X[:90], SCHEMA, threads=1)
    matrix = xgboost.DMatrix(X[:90])
    values = model.predict(matrix, pred_contribs=True, strict_shape=True)[..., :-1]

    encoded, raw = by_name(found.encoded), by_name(found.columns)
    assert (found.shap_rows, found.shap_method, found.shap_missing) == (90, "exact", None)
    expected = np.abs(values[..., 4]).mean()
    assert encoded["strong"].shap == pytest.approx(expected, rel=1e-6)
    expected = np.abs(values[..., 1:4].astype(np.float64).sum(axis=-1)).mean()
    assert raw["plan"].shap == pytest.approx(expected, rel=1e-6)
    assert raw["empty"].shap == 0.0
    assert [score.rank for score in found.columns] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
@pytest.mark.filterwarnings("ignore:.*gblinear. is deprecated")
def test_a_linear_booster_has_coefficients(objective: str) -> None:
    """A linear booster gives coefficients and SHAP, and no figure of splits, which it lacks."""
    found = score_columns(train(objective, booster="gblinear"), X[:100], SCHEMA, threads=1)
    raw = by_name(found.columns)

    assert found.columns[0].column == "strong"
    assert (raw["strong"].gain, raw["strong"].weight) == (None, None)
    assert (raw["strong"].coefficient or 0) > 0.1
    assert raw["plan"].coefficient is None


def explain(model: xgboost.Booster, rows: np.ndarray) -> module.Contributions:
    """Explain rows with each encoded column a group."""
    return contributions(model, rows, np.arange(X.shape[1]), threads=1)


def test_deep_models_are_explained_on_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is bounded: rows are fewer first, and at last the cheaper method is taken."""
    model = train("binary:logistic")
    assert explain(model, X).rows == 600
    leaves_times_depth = 6 * 8 * 3**2  # at the most

    monkeypatch.setattr(module, "MOST_WORK", 300.0 * leaves_times_depth)
    fewer = explain(model, X)
    monkeypatch.setattr(module, "MOST_WORK", 1.0)
    cheap = explain(model, X)

    assert (fewer.method, 300 <= fewer.rows < 600) == ("exact", True)
    assert (cheap.method, cheap.rows) == ("approximate", 600)
    assert int(np.argmax(cheap.encoded)) == int(np.argmax(fewer.encoded)) == 4


def test_wide_answers_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small calls give the figures of one."""
    model = train("multi:softprob")
    whole = explain(model, X[:100])
    monkeypatch.setattr(module, "_MOST_CELLS", 7 * 3 * (X.shape[1] + 1))

    np.testing.assert_allclose(explain(model, X[:100]).encoded, whole.encoded, rtol=1e-9)


def test_rows_are_sampled_alike_in_every_run() -> None:
    """At most 2,000 different rows, the same ones for a seed."""
    rows = sample_rows(50_000, 10, seed=3)

    assert len(np.unique(rows)) == 2_000
    np.testing.assert_array_equal(rows, sample_rows(50_000, 10, seed=3))
    np.testing.assert_array_equal(sample_rows(4, 10, seed=3), [0, 1, 2, 3])


def test_wide_rows_are_sampled_within_memory() -> None:
    """A sample of a million sparse columns is as many rows as are 64 MB when dense."""
    assert len(sample_rows(50_000, 1_000_000, seed=3)) == 16
    assert len(sample_rows(50_000, 2**25, seed=3)) == 0


def test_long_lists_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many columns the most important ones are listed."""
    monkeypatch.setattr(importance_module, "MOST_LISTED", 2)
    found = score_columns(train("binary:logistic"), X[:50], SCHEMA, threads=1)

    assert [score.column for score in found.columns] == ["strong", "plan"]
    assert len(found.encoded) == 2


def scores_without_shap(rows: np.ndarray) -> Importance:
    """Score a model that cannot be explained on these rows."""
    return score_columns(train("binary:logistic"), rows, SCHEMA, threads=1)


@pytest.mark.parametrize("rows", [X[:0], X[:5, :3]], ids=["no rows", "too few columns"])
def test_without_shap_the_gain_ranks(rows: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    """Rows that cannot be explained cost the SHAP column alone, and the log says why."""
    found = scores_without_shap(rows)

    assert (found.shap_rows, found.columns[0].shap) == (0, None)
    assert found.columns[0].column == "strong"
    assert found.shap_missing
    assert found.shap_missing in caplog.text


def test_another_model_s_schema_is_refused() -> None:
    """A schema of another width is not silently shifted over the columns."""
    with pytest.raises(ValueError, match="the booster has 6 columns, the schema 1"):
        score_columns(train("binary:logistic"), X[:5], Schema((Column("x", "number"),)))
