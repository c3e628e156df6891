"""How much memory a job's data may take before it goes to the disk."""

from __future__ import annotations

from typing import Final

from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.machine import usable_memory

# What the program and its libraries take before any data is there: 200 MB, and room to work.
_BASE_BYTES: Final = 300 << 20
_LEAST: Final = 32 << 20


def memory_budget(hp: Hyperparameters) -> int | None:
    """Return the bytes that the stored columns, and again the quantised matrix, may take.

    The hyperparameter `memory_budget_mb`, or half of the container's memory for each, what the
    program itself takes left out. None where nothing tells the memory.
    """
    if hp.memory_budget_mb is not None:
        return hp.memory_budget_mb << 20
    memory = usable_memory()
    return None if memory is None else max((memory - _BASE_BYTES) // 2, _LEAST)
