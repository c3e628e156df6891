"""The rounds a booster is to answer with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from churn_daal.engine.anatomy import read_anatomy, read_config

if TYPE_CHECKING:
    import xgboost

log = logging.getLogger(__name__)


def to_best_round(booster: xgboost.Booster) -> xgboost.Booster:
    """Cut a booster to its `best_iteration`, which early stopping leaves in it.

    `XGBClassifier.predict` stops at that round; `Booster.predict` and every engine here use all
    trees. A booster without it, or one that ends there, is returned as it is.

    Parameters
    ----------
    booster
        With at least one round. Not altered.
    """
    best, rounds = booster.attr("best_iteration"), booster.num_boosted_rounds()
    if best is None or int(best) + 1 >= rounds:
        return booster
    if read_anatomy(read_config(booster)).kind != "gbtree":
        log.warning("only a gbtree booster can be cut to its best round: all %d are used", rounds)
        return booster
    log.info("the booster is cut to its best round, %s of %d", best, rounds - 1)
    return booster[: int(best) + 1]
