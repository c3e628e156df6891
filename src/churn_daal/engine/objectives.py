"""The one table of XGBoost's objectives: what a margin means and how a base score becomes one.

Both engines answer margins, so the step from a margin to an answer is written here once and
equals what `Booster.predict` gives. The links and base-score rules are those of XGBoost's
objective functions (`PredTransform` and `ProbToMargin` in its src/objective), in float32 as
there: at a base score of 0.9999 the same formula in float64 is 6e-4 away.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from churn_daal.errors import UserError

Task = Literal["binary", "multiclass", "regression", "ranking", "survival"]
Link = Literal["identity", "logit", "log", "step", "softmax"]
Floats = NDArray[np.float32]

# XGBoost keeps exp(-margin) finite in float32 by this bound, and clamps base scores by this step.
LARGEST_EXPONENT = np.float32(88.7)
SMALLEST_PROBABILITY = np.float32(1e-6)
ONE = np.float32(1)


@dataclass(frozen=True)
class Objective:
    """What an objective's margins mean.

    Attributes
    ----------
    name
        XGBoost's name, such as `binary:logistic`.
    task
        What kind of question the model answers.
    link
        `identity`: the margin is the answer. `logit`: its sigmoid is. `log`: its exponential is.
        `step`: 1 above zero, else 0. `softmax`: class probabilities over the margins of a row.
    """

    name: str
    task: Task
    link: Link

    def respond(self, margin: Floats) -> Floats:
        """Turn margins into what `Booster.predict` answers.

        Parameters
        ----------
        margin
            float32 `(n,)`, or `(n, K)` for `softmax` and for models with several targets.

        Returns
        -------
        float32 of the same shape. `multi:softmax` answers probabilities as `multi:softprob`
        does; the class is their argmax.
        """
        match self.link:
            case "identity":
                return margin
            case "logit":
                return _sigmoid(margin)
            case "log":
                # XGBoost answers inf above a margin of 88.7, without a word.
                with np.errstate(over="ignore"):
                    return np.exp(margin)
            case "step":
                return (margin > 0).astype(np.float32)
            case "softmax":
                return _softmax(margin)

    def base_margin(self, base_score: float) -> float:
        """Turn a base score, which is on the answer's scale, into the margin trees add to.

        Returns
        -------
        A float32 value. It is not finite where XGBoost's is not: `count:poisson` fitted to
        labels that are all zero has the margin minus infinity.
        """
        score = np.float32(base_score)
        match self.link:
            case "logit":
                inside = np.clip(score, SMALLEST_PROBABILITY, ONE - SMALLEST_PROBABILITY)
                return float(-np.log(ONE / inside - ONE))
            case "log":
                with np.errstate(divide="ignore", invalid="ignore"):
                    return float(np.log(score))
            case _:
                return float(score)


def objective_named(name: str) -> Objective:
    """Look an objective up by XGBoost's name.

    Raises
    ------
    UserError
        The name is none of XGBoost's objectives that this release knows.
    """
    found = _TABLE.get(name)
    if found is None:
        near = difflib.get_close_matches(name, _TABLE, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(_TABLE))}."
        raise UserError(f"objective {name!r} is not one this release knows. {hint}")
    return found


def objective_names() -> tuple[str, ...]:
    """Return every name `objective_named` takes, in the table's order."""
    return tuple(_TABLE)


def _sigmoid(margin: Floats) -> Floats:
    if margin.shape == (1,):
        # The same steps on a scalar, to the same bits: a third of the time for one row.
        scalar = ONE / (ONE + np.exp(min(-margin[0], LARGEST_EXPONENT)))
        return np.array([scalar], dtype=np.float32)
    exponential = np.negative(margin)
    np.minimum(exponential, LARGEST_EXPONENT, out=exponential)
    np.exp(exponential, out=exponential)
    exponential += ONE
    return np.divide(ONE, exponential, out=exponential)


def _softmax(margin: Floats) -> Floats:
    exponential: Floats = margin - margin.max(axis=-1, keepdims=True)
    np.exp(exponential, out=exponential)
    exponential /= exponential.sum(axis=-1, keepdims=True)
    return exponential


_TABLE = {
    row.name: row
    for row in (
        Objective("binary:logistic", "binary", "logit"),
        Objective("binary:logitraw", "binary", "identity"),
        Objective("binary:hinge", "binary", "step"),
        Objective("multi:softprob", "multiclass", "softmax"),
        Objective("multi:softmax", "multiclass", "softmax"),
        Objective("reg:squarederror", "regression", "identity"),
        Objective("reg:squaredlogerror", "regression", "identity"),
        Objective("reg:logistic", "regression", "logit"),
        Objective("reg:pseudohubererror", "regression", "identity"),
        Objective("reg:absoluteerror", "regression", "identity"),
        Objective("reg:quantileerror", "regression", "identity"),
        Objective("reg:expectileerror", "regression", "identity"),
        Objective("reg:gamma", "regression", "log"),
        Objective("reg:tweedie", "regression", "log"),
        Objective("count:poisson", "regression", "log"),
        Objective("survival:cox", "survival", "log"),
        Objective("survival:aft", "survival", "log"),
        Objective("rank:ndcg", "ranking", "identity"),
        Objective("rank:pairwise", "ranking", "identity"),
        Objective("rank:map", "ranking", "identity"),
    )
}
