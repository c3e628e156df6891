"""The toolkit's own hyperparameters become attributes, and none of them reaches XGBoost."""

from __future__ import annotations

import pytest

from churn_daal.boosting.hyperparameters import parse


def test_the_toolkits_own_do_not_reach_xgboost() -> None:
    """Each of the toolkit's rows has an attribute, and none is a booster parameter."""
    hp = parse(
        {
            "label": "Churn?",
            "weight": "3",
            "id_columns": "phone, state",
            "drop_columns": '["a,b", 4]',
            "categorical_columns": "",
            "header": "present",
            "delimiter": "tab",
            "category_encoding": "ordinal",
            "max_onehot_categories": "8",
            "positive_label": "True.",
            "validation_fraction": "0.25",
            "threshold": "0.34",
            "group": "query",
            "base_margin": "m0,m1",
            "libsvm_indexing": "0",
            "_kfold": "5",
            "_num_cv_round": "2",
            "memory_budget_mb": "512",
            "checkpoint_rounds": "1",
            "checkpoint_seconds": "0.5",
            "checkpoints_kept": "2",
        }
    )

    assert hp.booster == {"seed": 0}
    assert (hp.label, hp.weight, hp.positive_label) == ("Churn?", "3", "True.")
    assert (hp.id_columns, hp.drop_columns) == (("phone", "state"), ("a,b", "4"))
    assert (hp.categorical_columns, hp.header, hp.delimiter) == ((), "present", "\t")
    assert (hp.category_encoding, hp.max_onehot_categories) == ("ordinal", 8)
    assert (hp.validation_fraction, hp.threshold, hp.threshold_rule) == (0.25, 0.34, "fixed")
    assert (hp.group, hp.base_margin, hp.libsvm_indexing) == ("query", ("m0", "m1"), "0")
    assert (hp.kfold, hp.num_cv_round, hp.memory_budget_mb) == (5, 2, 512)
    assert (hp.checkpoint_rounds, hp.checkpoint_seconds, hp.checkpoints_kept) == (1, 0.5, 2)
    assert hp.notes == ()


@pytest.mark.parametrize("text", ["tab", "\t", r"\t", "TAB"])
def test_a_tab_has_several_spellings(text: str) -> None:
    """A delimiter may be the character, its escape or its name."""
    assert parse({"delimiter": text}).delimiter == "\t"


@pytest.mark.parametrize(("text", "expected"), [(";", ";"), ("pipe", "|"), (" ", " "), (",", ",")])
def test_a_delimiter_is_one_character(text: str, expected: str) -> None:
    """Characters stand for themselves, a blank too."""
    assert parse({"delimiter": text}).delimiter == expected


def test_survival_bounds_may_be_one_column() -> None:
    """The times of rows that are not censored are both bounds and the label."""
    raw = {"objective": "survival:aft", "label": "t", "label_lower_bound": "t"}

    hp = parse(raw | {"label_upper_bound": "t", "eval_metric": "rmse"})

    assert (hp.label_lower_bound, hp.label_upper_bound) == ("t", "t")
    assert hp.booster["objective"] == "survival:aft"


@pytest.mark.parametrize("objective", ["rank:ndcg", "rank:pairwise", "rank:map"])
def test_ranking_needs_no_group_column_before_data_is_read(objective: str) -> None:
    """A libsvm file carries its queries itself, so a missing column is no fault yet."""
    assert parse({"objective": objective}).group is None


@pytest.mark.parametrize("rule", ["f1", "cost"])
def test_a_threshold_may_be_chosen_by_a_rule(rule: str) -> None:
    """The number stays the default until held-out rows decide."""
    hp = parse({"threshold": rule, "cost_ratio": "3"} if rule == "cost" else {"threshold": rule})

    assert (hp.threshold, hp.threshold_rule) == (0.5, rule)
    assert hp.cost_ratio == (3.0 if rule == "cost" else 1.0)


@pytest.mark.parametrize("text", ["1", "true", "True", " TRUE "])
def test_a_flag_has_several_spellings(text: str) -> None:
    """A JSON boolean and Python's text of one are as good as AWS's 0 and 1."""
    assert parse({"csv_weights": text}).csv_weights is True


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ({"max_cat_to_onehot": "8"}, "max_cat_to_onehot: without effect, since text is encoded"),
        ({"max_cat_threshold": "8"}, "max_cat_threshold: without effect, since text is encoded"),
        ({"_num_cv_round": "2"}, "_num_cv_round: without effect, since _kfold is not given"),
        ({"cost_ratio": "2"}, "cost_ratio: without effect, since threshold is not cost"),
        (
            {"cost_ratio": "2", "threshold": "f1"},
            "cost_ratio: without effect, since threshold is not cost",
        ),
    ],
)
def test_what_has_no_effect_says_so(raw: dict[str, str], note: str) -> None:
    """A value that nothing will use is taken, and the log says that nothing will."""
    (said,) = parse(raw).notes

    assert said.startswith(note)
