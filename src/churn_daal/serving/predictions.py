"""What is answered about some rows: named columns, of which encoders make bodies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churn_daal.artifact import Manifest, Model
from churn_daal.engine import UnansweredError, objective_named
from churn_daal.errors import RequestError
from churn_daal.serving.contributions import contributions
from churn_daal.serving.outputs import Plan
from churn_daal.tabular.encoder import Matrix
from churn_daal.tabular.labels import Class

log = logging.getLogger(__name__)
# An array of (n,) or (n, k), or a list of n classes or of n values for JSON.
Column: TypeAlias = "NDArray[Any] | Sequence[Any]"
SCORE = "score"
LABEL = "predicted_label"


@dataclass(frozen=True)
class Predictions:
    """Answers to a block of rows.

    Attributes
    ----------
    columns
        By name, in the order in which they are written; all of one length.
    selected
        Whether the client chose them. If not, formats without names hold the score alone.
    classes
        The model's, in the order of XGBoost's class numbers, for formats that cannot hold words.
    """

    columns: Mapping[str, Column]
    selected: bool = False
    classes: Sequence[Class] = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def predictions(model: Model, plan: Plan, X: Matrix, *, labelled: bool = True) -> Predictions:
    """Answer a block of rows.

    Parameters
    ----------
    model
        The model.
    plan
        What to answer.
    X
        float32 (n, schema.width).
    labelled
        See `usual`.

    Returns
    -------
    The columns the plan names, in its order; where it names none, the usual ones.

    Raises
    ------
    RequestError
        400: a column that the request asks for is one XGBoost has not of this model.
    """
    response = model.predict(X)
    if not plan.outputs:
        return usual(model.manifest, response, plan.threshold, labelled=labelled)
    rows = _Rows(model, plan, X, response)
    columns: dict[str, Column] = {name: _column(name, rows) for name in plan.outputs}
    return Predictions(columns, selected=True, classes=model.manifest.labels.classes)


def _column(name: str, rows: _Rows) -> Column:
    if name in rows.plan.absent:
        return _nothing(rows)
    try:
        return _COLUMNS[name](rows)
    except UnansweredError as error:
        if rows.plan.asked:
            raise RequestError(f"outputs: {name!r} cannot be answered: {error}") from error
        log.debug("NaN for %s: %s", name, error)
        return _nothing(rows)


def _nothing(rows: _Rows) -> Column:
    """Return the column of an output that the model has not: NaN, as AWS's image has it."""
    return np.full(len(rows.X), np.nan, dtype=np.float32)


def usual(
    manifest: Manifest,
    response: Matrix,
    threshold: float | None = None,
    *,
    labelled: bool = True,
) -> Predictions:
    """Return what is answered where the client has no wish.

    Parameters
    ----------
    manifest
        Of the model that answered.
    response
        float32 (n,), or (n, classes) for `multi:*`.
    threshold
        Probability from which a binary answer is the positive class; None for the manifest's.
    labelled
        Whether the classes are written beside the score: some types hold the score alone.

    Returns
    -------
    `score`: the probability, the value, the classes' probabilities side by side, or the class
    where that is the objective's own answer. `predicted_label` beside it for classification.
    """
    classes = manifest.labels.classes
    scored = answers_class(manifest.objective)
    if not classes or not (labelled or scored):
        return Predictions({SCORE: response}, classes=classes)
    labels = classes_of(manifest, response, threshold)
    score = labels if scored else response
    return Predictions({SCORE: score, LABEL: labels}, classes=classes)


def answers_class(objective: str) -> bool:
    """Tell whether an objective's own answer is the class, not a number about it."""
    return objective in {"multi:softmax", "binary:hinge"}


def classes_of(manifest: Manifest, response: Matrix, threshold: float | None = None) -> list[Class]:
    """Return each row's class as it was trained."""
    classes = manifest.labels.classes
    return [classes[number] for number in _numbers(manifest, response, threshold).tolist()]


def _numbers(manifest: Manifest, response: Matrix, threshold: float | None) -> NDArray[np.intp]:
    """Return each row's class by number, (n,)."""
    if response.ndim == 2:
        winning: NDArray[np.intp] = response.argmax(axis=1)
        return winning
    cut = manifest.threshold if threshold is None else threshold
    if manifest.objective == "binary:logitraw":
        # Its answer is the margin: the threshold's logit is where the probability crosses it.
        with np.errstate(divide="ignore"):
            cut = float(np.log(np.divide(cut, 1 - cut)))
    return (response >= cut).astype(np.intp)


@dataclass(frozen=True)
class _Rows:
    """A block of rows and the model's response to it, of which columns are made."""

    model: Model
    plan: Plan
    X: Matrix
    response: Matrix

    def score(self) -> Column:
        return usual(self.model.manifest, self.response, self.plan.threshold).columns[SCORE]

    def label(self) -> list[Class]:
        return classes_of(self.model.manifest, self.response, self.plan.threshold)

    def labels(self) -> list[list[Class]]:
        return [list(self.model.manifest.labels.classes)] * len(self.X)

    def probability(self) -> Matrix:
        """Of the positive class, or of the winning one: (n,)."""
        if self.response.ndim == 2:
            return self._highest()
        if self.model.manifest.objective == "binary:logitraw":
            return objective_named("binary:logistic").respond(self.response)
        return self.response

    def probabilities(self) -> Matrix:
        """Of each class: (n, classes)."""
        if self.response.ndim == 2:
            return self.response
        positive = self.probability()
        return np.stack([1 - positive, positive], axis=1)

    def raw_score(self) -> Matrix:
        return self._highest() if self.response.ndim == 2 else self.response

    def raw_scores(self) -> Matrix:
        """Of each class, higher for the likelier: (n, classes)."""
        if self.response.ndim == 2:
            return self.response
        # A margin is the log of the odds: the other class's is its negative.
        raw = self.model.manifest.objective == "binary:logitraw"
        return np.stack([(0 if raw else 1) - self.response, self.response], axis=1)

    def _highest(self) -> Matrix:
        highest: Matrix = self.response.max(axis=1)
        return highest

    def margin(self) -> Matrix:
        return self.model.explainer.margin(self.X)

    def contributions(self) -> list[Any]:
        several = self.model.manifest.objective.startswith("multi:")
        return contributions(
            self.model,
            self.X,
            top_k=self.plan.top_k,
            predicted=self.response.argmax(axis=1) if several else None,
        )

    def leaf(self) -> NDArray[np.int32]:
        return self.model.explainer.leaf(self.X)


_COLUMNS: Final[Mapping[str, Callable[[_Rows], Column]]] = {
    SCORE: _Rows.score,
    LABEL: _Rows.label,
    "labels": _Rows.labels,
    "probability": _Rows.probability,
    "probabilities": _Rows.probabilities,
    "raw_score": _Rows.raw_score,
    "raw_scores": _Rows.raw_scores,
    "predicted_score": lambda rows: rows.response,
    "margin": _Rows.margin,
    "contributions": _Rows.contributions,
    "leaf": _Rows.leaf,
}
