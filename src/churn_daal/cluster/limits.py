"""What XGBoost cannot learn on several hosts, refused before the first round instead of in it.

Measured with XGBoost 3.2.0 and 3.4.1. Some of these it refuses itself, in the middle of a round;
the others give each host another model without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from churn_daal.cluster.world import World
from churn_daal.errors import UserError

# Leaves are fitted to the rows of each host and averaged, also over a host that has none.
ADAPTIVE: Final = frozenset({"reg:absoluteerror", "reg:quantileerror"})


def check_limits(world: World, params: Mapping[str, Any], *, rows: int, weighted: bool) -> None:
    """Refuse what several hosts cannot train; every host has to call it, and all get the same.

    Parameters
    ----------
    world
        The hosts. One host has no limits.
    params
        XGBoost's parameters, the objective decided.
    rows
        This host's rows to learn from; 0 is allowed, but not on all.
    weighted
        Whether they have weights. A host without rows need not.

    Raises
    ------
    UserError
        A parameter does not work on several hosts, no host has rows, or some have weights.
    """
    if world.size == 1:
        return
    world.agree("XGBoost's parameters", {k: v for k, v in params.items() if k != "nthread"})
    shares = world.gather([rows, weighted])
    have = [host for host, (count, _) in zip(world.hosts, shares, strict=True) if count]
    lack = [host for host in world.hosts if host not in have]
    if not have:
        raise UserError(
            f"none of the {world.size} hosts has rows in its train channel; expected one at least."
        )
    with_weights = [host for host, (n, w) in zip(world.hosts, shares, strict=True) if n and w]
    if with_weights and with_weights != have:
        raise UserError(
            f"of the hosts with rows only {', '.join(with_weights)} have weights; expected all or "
            "none. Give every file the weight column."
        )
    faults = list(_faults(params, lack))
    if faults:
        raise UserError(
            f"{' Also: '.join(faults)} Or set the instance count to 1 (it is {world.size})."
        )


def _faults(params: Mapping[str, Any], lack: list[str]) -> Iterator[str]:
    objective = params.get("objective")
    if params.get("booster") == "gblinear":
        yield "booster=gblinear gives each host another model; use gbtree."
    if params.get("tree_method") == "exact" or "grow_colmaker" in str(params.get("updater", "")):
        yield "tree_method=exact works on one host only; use hist or approx."
    metrics = params.get("eval_metric", ())
    metrics = [metrics] if isinstance(metrics, str) else metrics
    if objective == "survival:cox" or "cox-nloglik" in metrics:
        yield "survival:cox and its metric work on one host only; use survival:aft."
    if objective in ADAPTIVE and lack:
        yield (
            f"with objective={objective} every host needs rows, and {', '.join(lack)} has none; "
            "use as many files as hosts or more."
        )
