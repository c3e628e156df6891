"""What several hosts cannot train is refused on all of them, before the first round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from churn_daal.cluster import World, check_limits

LOGISTIC = {"objective": "binary:logistic", "nthread": 1}
# Parameters, each host's rows, which host has weights, and what the refusal says.
CASES = [
    (LOGISTIC, [5, 5], [False, False], ""),
    (LOGISTIC, [5, 0], [True, False], ""),
    (LOGISTIC, [0, 0], [False, False], "none of the 2 hosts has rows in its train channel"),
    (LOGISTIC, [5, 5], [False, True], "of the hosts with rows only algo-2 have weights"),
    (LOGISTIC | {"booster": "gblinear"}, [5, 5], [False] * 2, "use gbtree"),
    (LOGISTIC | {"tree_method": "exact"}, [5, 5], [False] * 2, "use hist or approx"),
    ({"objective": "survival:cox"}, [5, 5], [False] * 2, "use survival:aft"),
    ({"objective": "reg:absoluteerror"}, [5, 5], [False] * 2, ""),
    ({"objective": "reg:absoluteerror"}, [5, 0], [False] * 2, "algo-2 has none"),
]


def test_each_limit_is_named_on_every_host(job: Callable[..., Any]) -> None:
    """The hosts get the same answer, with the remedy."""
    checks = job(2, "limits", cases=[case[:3] for case in CASES])
    checks.start()
    first, second = checks.seen()

    assert first["messages"] == second["messages"]
    for message, case in zip(first["messages"], CASES, strict=True):
        expected = case[3]
        assert expected in message
        assert bool(message) == bool(expected)


def test_one_host_has_no_limits() -> None:
    """Nothing of this concerns a job of one host."""
    check_limits(World(("a",), 0), {"booster": "gblinear"}, rows=3, weighted=False)
