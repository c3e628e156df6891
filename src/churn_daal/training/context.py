"""What reading a job's channels depends on beside the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from churn_daal.artifact import Manifest
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.cluster import World


@dataclass(frozen=True)
class Context:
    """One job's.

    Attributes
    ----------
    hp
        Its hyperparameters.
    world
        Its hosts, which learn one schema.
    known
        What an earlier model learned, which training goes on from; None to learn anew.
    check
        Called while rows are read; what it raises ends the reading.
    """

    hp: Hyperparameters
    world: World
    known: Manifest | None = None
    check: Callable[[], None] = lambda: None
