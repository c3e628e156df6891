"""Training that goes on from an earlier model: what must agree, and what is left behind."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import xgboost
from xgboost.core import XGBoostError

from churn_daal.boosting.xgboost_faults import reason
from churn_daal.errors import UserError

log = logging.getLogger(__name__)


def is_update(params: Mapping[str, Any]) -> bool:
    """Tell whether a job changes the trees of an earlier model in place of adding to them."""
    return bool(params.get("process_type") == "update")


def continued(
    model: bytes,
    params: Mapping[str, Any],
    matrices: tuple[xgboost.DMatrix, xgboost.DMatrix],
    num_round: int,
) -> tuple[xgboost.Booster, int]:
    """Return an earlier model, ready to learn, and how many of its rounds stay as they are.

    Parameters
    ----------
    model
        The booster in UBJ or JSON.
    params
        XGBoost's parameters for the rounds to come.
    matrices
        The rows, of the earlier model's columns.
    num_round
        Rounds to come.

    Raises
    ------
    UserError
        XGBoost cannot read the model, or it is of another objective, width, number of classes,
        booster or trees a round; an update of its trees asks for more rounds than it has.
    """
    try:
        earlier = xgboost.Booster(model_file=bytearray(model))
        # As loaded: with an update's parameters the trees would be set apart, and count as none.
        rounds, found = earlier.num_boosted_rounds(), _anatomy(earlier)
    except (XGBoostError, ValueError, KeyError) as error:
        raise UserError(
            f"the earlier model cannot be read ({reason(str(error))[:200]}); expected a model "
            "XGBoost saved as UBJ or JSON. Save it again with save_model, as model.ubj."
        ) from None
    # What XGBoost makes of the parameters: since 3.4 dart is a gbtree that drops trees.
    wanted = _anatomy(xgboost.Booster(dict(params), [matrices[0]]))
    faults = list(_faults(found, wanted))
    if faults:
        raise UserError(
            f"the earlier model does not go with this job: {'; '.join(faults)}. Set the job's "
            "hyperparameters and columns as they were, or leave the model channel out."
        )
    stays = _stays(rounds, params, num_round)
    log.info("going on from an earlier model of %d rounds", rounds)
    if "base_score" in params:
        log.warning("base_score: without effect, since the earlier model has its own")
        params = {name: value for name, value in params.items() if name != "base_score"}
    booster = xgboost.Booster(dict(params), list(matrices), model_file=bytearray(model))
    # The columns are checked by their number; a best round is that of the earlier training.
    booster.feature_names = booster.feature_types = None
    booster.set_attr(**dict.fromkeys(booster.attributes()))
    return booster, stays


def _stays(rounds: int, params: Mapping[str, Any], num_round: int) -> int:
    """Return how many rounds of the earlier model stay in front of the job's own."""
    if not is_update(params):
        return rounds
    if num_round > rounds:
        raise UserError(
            f"num_round is {num_round}, and process_type 'update' goes over the {rounds} rounds "
            f"of the earlier model; set num_round to {rounds} or less."
        )
    return 0


def _anatomy(booster: xgboost.Booster) -> dict[str, Any]:
    learner = json.loads(booster.save_config())["learner"]
    model = learner["learner_model_param"]
    gradient = learner["gradient_booster"]
    # dart's trees lay one level deeper before 3.4.
    trees = gradient.get("gbtree", gradient).get("gbtree_model_param", {})
    return {
        "objective": learner["objective"]["name"],
        "booster": gradient["name"],
        "columns": int(model["num_feature"]),
        "num_class": int(model["num_class"]),
        "num_parallel_tree": int(trees.get("num_parallel_tree", 1)),
    }


def _faults(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for name, now in wanted.items():
        if found[name] != now:
            yield f"{name} was {found[name]!r} and is {now!r}"
