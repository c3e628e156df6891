"""A tuning job's metric is computed beside the user's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from churn_daal.boosting.hyperparameters import Hyperparameters, parse
from churn_daal.contract.job import read_job
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import UserError


def tuned(name: str, **raw: str) -> Hyperparameters:
    """Return the hyperparameters of a job that is tuned by a metric of that name."""
    return parse(raw, {"_tuning_objective_metric": name, "sagemaker_region": "eu-west-1"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ("auc",)),
        ("logloss", ("auc", "logloss")),
        ("auc,logloss", ("auc", "logloss")),
        ("logloss,auc", ("logloss", "auc")),
    ],
)
def test_the_metric_is_printed_and_the_users_last_one_still_decides(
    given: str, expected: tuple[str, ...]
) -> None:
    """It goes in front, once: early stopping is by the last listed metric."""
    raw = {"eval_metric": given} if given else {}

    hp = tuned("validation:auc", objective="binary:logistic", **raw)

    assert hp.eval_metric == expected
    assert hp.booster["eval_metric"] == list(expected)
    assert hp.notes == ()


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("validation:ndcg@5", "ndcg@5"),
        (" validation:auc ", "auc"),
        ("validation:auc:iteration", "auc"),
        ("validation:error@0.3", "error@0.3"),
    ],
)
def test_the_metric_may_have_a_parameter_or_a_third_part(name: str, metric: str) -> None:
    """A parameter belongs to the metric; what follows a second colon does not."""
    assert tuned(name).eval_metric == (metric,)


def test_tuning_gives_early_stopping_its_metric() -> None:
    """Where the objective's own metric is left out, the tuned one is enough to stop by."""
    hp = tuned(
        "validation:auc",
        objective="binary:logistic",
        early_stopping_rounds="3",
        disable_default_eval_metric="1",
    )

    assert hp.eval_metric == ("auc",)


@pytest.mark.parametrize("name", ["cv:auc", "MyScore", "auc"])
def test_a_name_of_the_users_own_is_left_to_them(name: str) -> None:
    """Metric definitions may have any name; the log says that nothing was added."""
    hp = tuned(name)

    assert hp.eval_metric == ()
    assert hp.notes == (
        (
            f"_tuning_objective_metric {name!r} is not validation:<metric>, so nothing is added to "
            "eval_metric; the tuning job's own regular expression has to find it in the log"
        ),
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "train:auc",
            (
                "'_tuning_objective_metric' is 'train:auc', a score of rows the model was fitted "
                "to; expected validation:<metric>, such as validation:auc."
            ),
        ),
        (
            "validation:",
            (
                "'_tuning_objective_metric' is 'validation:', which names no metric; expected "
                "validation:<metric>, such as validation:auc."
            ),
        ),
        (
            "validation:aucc",
            (
                "'_tuning_objective_metric' asks for 'aucc' with objective 'binary:logistic': "
                "Unknown metric function aucc."
            ),
        ),
        (
            "validation:rmse@2",
            "'_tuning_objective_metric' asks for 'rmse@2' with objective 'binary:logistic': ",
        ),
    ],
)
def test_a_metric_that_cannot_be_had_is_refused(name: str, message: str) -> None:
    """A tuning job that could never find its figure fails at its first training job."""
    with pytest.raises(UserError) as caught:
        tuned(name, objective="binary:logistic")

    assert str(caught.value).startswith(message)


def test_the_files_of_a_tuning_job_are_understood(tmp_path: Path) -> None:
    """SageMaker's own names lie among the user's and are told apart."""
    paths = SageMakerPaths(tmp_path)
    paths.config.mkdir(parents=True)
    paths.hyperparameters.write_text(
        json.dumps({"_tuning_objective_metric": "validation:rmse", "eta": 0.1, "max_depth": "3"})
    )
    job = read_job(paths)

    hp = parse(job.hyperparameters, job.reserved)

    assert hp.booster == {"seed": 0, "eta": 0.1, "max_depth": 3, "eval_metric": ["rmse"]}
