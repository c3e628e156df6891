"""What the data has to have for what is asked for, found out before anything is fitted."""

from __future__ import annotations

import json
from typing import Final

from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.cluster import World
from churn_daal.errors import UserError

PROBABILITIES: Final = frozenset({"binary:logistic", "binary:logitraw"})


def check(objective: str, hp: Hyperparameters, train: Dataset, world: World) -> None:
    """Refuse what does not go together.

    Raises
    ------
    UserError
        The objective lacks columns it learns from, a constraint names columns that are not there,
        or a threshold is to be chosen where there is no probability.
    """
    _check_columns(objective, train, world)
    _check_constraints(hp, train.width)
    if hp.threshold_rule != "fixed" and objective not in PROBABILITIES:
        raise UserError(
            f"hyperparameter threshold={hp.threshold_rule} chooses a probability, and objective "
            f"{objective!r} has none of two classes; leave it out, or use binary:logistic"
        )


def _check_columns(objective: str, train: Dataset, world: World) -> None:
    """Refuse an objective without the columns it learns from, before anything is fitted."""
    if world.size > 1 and not len(train):
        return
    if objective.startswith("rank:") and train.group is None:
        raise UserError(
            f"objective {objective!r} needs the query of each row; name its column in the "
            "hyperparameter group, or write qid: in libsvm"
        )
    if objective == "survival:aft" and (train.lower is None or train.upper is None):
        raise UserError(
            f"objective {objective!r} needs both bounds of each survival time; name their columns "
            "in the hyperparameters label_lower_bound and label_upper_bound"
        )


def _check_constraints(hp: Hyperparameters, width: int) -> None:
    """Refuse constraints on columns that are not there, which XGBoost takes without a word."""
    signs = hp.booster.get("monotone_constraints")
    if signs is not None and signs.count(",") + 1 != width:
        raise UserError(
            f"hyperparameter monotone_constraints has {signs.count(',') + 1} signs, but there are "
            f"{width} encoded columns (docs/schema.md); give one for each"
        )
    groups = json.loads(hp.booster.get("interaction_constraints", "[]"))
    highest = max((column for group in groups for column in group), default=0)
    if highest >= width:
        raise UserError(
            f"hyperparameter interaction_constraints names column {highest}, but there are {width} "
            f"encoded columns (docs/schema.md), 0 to {width - 1}"
        )
