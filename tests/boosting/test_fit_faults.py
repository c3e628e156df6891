"""What XGBoost refuses is told in one line, as the user's to mend."""

from __future__ import annotations

import numpy as np
import pytest

from churn_daal.boosting.dataset import Dataset
from churn_daal.errors import UserError

from .runs import F32, HELD, TRAIN, labelled, rows, run

INF = Dataset(np.where(np.isnan(TRAIN.X), F32(np.inf), TRAIN.X), TRAIN.y)
CONTINUOUS = labelled(TRAIN, np.linspace(-3, 9, 120, dtype=F32))


@pytest.mark.parametrize(
    ("raw", "objective", "train", "message"),
    [
        ({}, "binary:logistic", labelled(TRAIN, TRAIN.y * 2), r"label must be in \(0, 1\)"),
        ({}, "count:poisson", labelled(TRAIN, TRAIN.y - 1), "label must be non-negative"),
        ({}, "reg:gamma", TRAIN, "label must be positive for gamma"),
        ({}, "binary:logistic", INF, "Input data contains `inf`"),
        ({"tree_method": "exact"}, "binary:logistic", INF, "Input data contains `inf`"),
        ({}, "reg:squarederror", labelled(TRAIN, TRAIN.y * F32(np.nan)), "Label contains NaN"),
        (
            {},
            "binary:logistic",
            Dataset(TRAIN.X, TRAIN.y, np.where(np.arange(120) == 5, F32(-1), F32(1))),
            "Weights must be positive values",
        ),
        (
            {"monotone_constraints": "(1,0,0,0,1)"},
            "binary:logistic",
            TRAIN,
            "monotone constraint should be less or equal to the number of features",
        ),
        ({"eval_metric": "auc"}, "reg:squarederror", CONTINUOUS, "'auc' .* a metric of classes"),
        (
            {"eval_metric": "map"},
            "reg:squarederror",
            CONTINUOUS,
            r"map can only be used with binary labels\. Check eval_metric against the labels",
        ),
        ({"eval_metric": "mlogloss"}, "binary:logistic", TRAIN, "lists 'mlogloss' with objective"),
        ({"base_score": "2"}, "binary:logistic", TRAIN, "base_score is 2; .* from 0 to 1"),
        (
            {},
            "binary:logistic",
            Dataset(TRAIN.X, TRAIN.y, np.zeros(120, F32)),
            "weights of the train rows sum to 0; expected more than 0",
        ),
        ({}, "binary:logistic", Dataset(TRAIN.X[:0], TRAIN.y[:0]), "there are no train rows"),
    ],
)
def test_bad_input_is_the_users_to_mend(
    raw: dict[str, str], objective: str, train: Dataset, message: str
) -> None:
    """XGBoost's reason comes as one line, without its stack trace."""
    with pytest.raises(UserError, match=message) as caught:
        run(raw, objective=objective, train=train)

    text = str(caught.value)
    assert "\n" not in text
    assert "Stack trace" not in text
    assert "/workspace" not in text


def test_a_label_beyond_the_classes_is_the_users() -> None:
    """Four classes of labels for two classes of model are refused with XGBoost's reason."""
    with pytest.raises(UserError, match=r"label must be discrete values .* Check the labels"):
        run(objective="multi:softprob", num_class=2, train=rows(120, 1, 4))


def test_validation_rows_are_asked_for() -> None:
    """An empty validation set is named as such."""
    with pytest.raises(UserError, match="there are no validation rows"):
        run(held=Dataset(HELD.X[:0], HELD.y[:0]))
