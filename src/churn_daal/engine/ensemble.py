"""Several models that answer as one, as AWS's image does with the models of its k-fold jobs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.protocol import Engine, Extra, Matrix
from churn_daal.errors import ArtifactError

# Their own answers are classes, of which a mean says nothing.
_VOTING = ("binary:hinge", "multi:softmax")


class EnsembleEngine:
    """Answers the mean of its members' answers; for `binary:hinge` and `multi:softmax` a vote.

    Parameters
    ----------
    members
        Two or more engines of one objective, one width and as many classes.

    Raises
    ------
    ArtifactError
        They are not alike.
    """

    def __init__(self, members: Sequence[Engine]) -> None:
        first = members[0]
        for place, other in enumerate(members[1:], start=2):
            for what in ("objective", "n_features", "n_classes"):
                if getattr(other, what) != getattr(first, what):
                    raise ArtifactError(
                        f"model {place} of the ensemble has {what} {_shown(other, what)}, the "
                        f"first has {_shown(first, what)}; an ensemble's models must be alike"
                    )
        self.members = tuple(members)
        self.objective = first.objective
        self.n_features = first.n_features
        self.n_classes = first.n_classes

    @property
    def name(self) -> str:
        """`onedal` where every member is, else `xgboost`."""
        return "onedal" if all(member.name == "onedal" for member in self.members) else "xgboost"

    @property
    def rows_alike(self) -> int:
        """What holds for every member."""
        return min(member.rows_alike for member in self.members)

    @property
    def extras(self) -> frozenset[Extra]:
        """The margin, where every member has one: a mean answer has no contributions or leaves."""
        each = [member.extras for member in self.members]
        return frozenset[Extra]({"margin"}).intersection(*each)

    def predict(self, X: Matrix) -> Matrix:
        """Answer rows.

        Returns
        -------
        float32 of a member's shape: the mean of the answers. For `multi:softmax` the share of
        the votes each class has, for `binary:hinge` the class with the most; between classes
        with as many the lowest number wins, as in AWS's image.
        """
        answers = [member.predict(X) for member in self.members]
        if self.objective.name not in _VOTING:
            return _mean(answers)
        if self.n_classes:
            classes = np.arange(self.n_classes)
            votes = [answer.argmax(axis=1)[:, np.newaxis] == classes for answer in answers]
            shares: Matrix = np.mean(votes, axis=0, dtype=np.float32)
            return shares
        winners: Matrix = (np.mean(answers, axis=0) > 0.5).astype(np.float32)
        return winners

    def margin(self, X: Matrix) -> Matrix:
        """Return the mean of the members' raw scores, float32 `(n,)` or `(n, outputs)`.

        Under a link that is no straight line, such as `logit`, it is not the raw score of the mean
        answer.
        """
        return _mean([member.margin(X) for member in self.members])

    def contributions(self, X: Matrix) -> Matrix:
        """Refuse: of the mean of several answers there are none."""
        raise ValueError(f"an ensemble has no contributions for {len(X)} rows")

    def leaf(self, X: Matrix) -> NDArray[np.int32]:
        """Refuse: each member has leaves of its own."""
        raise ValueError(f"an ensemble has no leaves for {len(X)} rows")


def _mean(answers: Sequence[Matrix]) -> Matrix:
    # One after the other: NumPy adds eight or more numbers of one row up in another order than
    # those of several rows.
    mean = answers[0].copy()
    for answer in answers[1:]:
        mean += answer
    mean /= np.float32(len(answers))
    return mean


def _shown(engine: Engine, what: str) -> str:
    value = getattr(engine, what)
    return str(getattr(value, "name", value))
