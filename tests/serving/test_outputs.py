"""Which outputs a model has, and what a request or a setting may ask of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from churn_daal.artifact import EngineChoice, Manifest
from churn_daal.engine.objectives import objective_named, objective_names
from churn_daal.errors import RequestError
from churn_daal.serving.options import USUAL, Options
from churn_daal.serving.outputs import outputs_of, plan, setting_faults
from churn_daal.serving.predictions import _COLUMNS
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column, Schema

# What AWS's image allows, by objective.
AWS = {
    "reg:squarederror": "predicted_score",
    "reg:logistic": "predicted_score",
    "reg:gamma": "predicted_score",
    "reg:tweedie": "predicted_score",
    "binary:logistic": "predicted_label labels probability probabilities raw_score raw_scores",
    "binary:logitraw": "predicted_label labels raw_score raw_scores",
    "binary:hinge": "predicted_label labels raw_score raw_scores",
    "multi:softmax": "predicted_label labels raw_score raw_scores",
    "multi:softprob": "predicted_label labels probability probabilities raw_score raw_scores",
}


def manifest_of(objective: str) -> Manifest:
    """Return a manifest of an objective."""
    task = objective_named(objective).task
    classes = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c")}.get(task, ())
    return Manifest(
        schema=Schema((Column("x", "number"),)),
        labels=Labels("y", classes),
        objective=objective,
        num_class=3 if task == "multiclass" else 0,
        threshold=0.35,
        engine=EngineChoice("onedal"),
    )


@pytest.mark.parametrize("objective", objective_names())
def test_every_objective_has_what_aws_gives_it(objective: str) -> None:
    """Each of AWS's outputs, and margin, contributions and leaf for all; each can be made."""
    have = outputs_of(manifest_of(objective))
    given = AWS.get(objective, "").split()

    assert set(given) <= set(have) <= set(_COLUMNS)
    assert {"score", "margin", "contributions", "leaf"} <= set(have)
    assert ("predicted_label" in have) == (
        objective_named(objective).task in {"binary", "multiclass"}
    )


def test_a_request_comes_before_the_setting() -> None:
    """And without a wish of its own the setting holds, in its order."""
    manifest = manifest_of("binary:logistic")
    setting = ("labels", "probability")

    assert plan(manifest, USUAL, setting).outputs == setting
    asked = plan(manifest, Options(("margin",), threshold=0.1), setting)
    assert (asked.outputs, asked.threshold, asked.asked) == (("margin",), 0.1, True)
    kept = plan(manifest, Options(threshold=0.1), setting)
    assert (kept.outputs, kept.threshold, kept.asked) == (setting, 0.1, False)
    assert plan(manifest, USUAL).threshold == 0.35


@pytest.mark.parametrize(
    ("objective", "options", "text"),
    [
        (
            "reg:gamma",
            Options(("probability",)),
            "outputs: 'probability' is not what a reg:gamma model answers; it answers score, pred",
        ),
        ("binary:logistic", Options(("probabilty",)), "(did you mean 'probability'?)"),
        (
            "binary:hinge",
            Options(("labels", "probability")),
            "'probability' is not what a binary:h",
        ),
        ("binary:logistic", Options(top_k=3), "add outputs=contributions, or leave top_k out"),
        ("binary:logistic", Options(("margin",), 3), "top_k=3 in the request cuts contributions"),
        ("reg:gamma", Options(threshold=0.3), "a reg:gamma model answers by no threshold"),
        ("binary:hinge", Options(threshold=0.3), "a binary:hinge model answers by no threshold"),
        (
            "multi:softprob",
            Options(threshold=0.3),
            "a multi:softprob model answers by no threshold",
        ),
    ],
)
def test_what_a_request_cannot_have(objective: str, options: Options, text: str) -> None:
    """400, with what the model does answer."""
    with pytest.raises(RequestError, match=re.escape(text)) as caught:
        plan(manifest_of(objective), options)
    assert caught.value.status == 400


def test_a_setting_that_does_not_fit_is_passed_over_and_told() -> None:
    """A job that runs under AWS's image does not fail here: it gets a line at start."""
    manifest = replace(manifest_of("reg:gamma"))
    setting = ("predicted_score", "probability", "predicted_scor")

    assert plan(manifest, USUAL, setting).absent == {"probability", "predicted_scor"}
    first, second = setting_faults(manifest, setting)
    assert first.startswith("SAGEMAKER_INFERENCE_OUTPUT: 'probability' is not what a reg:gamma")
    assert "(did you mean 'predicted_score'?)" in second
    assert setting_faults(manifest, ("predicted_score", "margin")) == []
