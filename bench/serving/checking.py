"""No server is timed while it answers something else than XGBoost does."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from bench.serving.home import BenchError
from bench.serving.peers import Peer
from bench.serving.servers import Running, ask
from bench.serving.workloads import SHORT, Workload, body, expected, read_answer

TOLERANCE: Final = 1e-5


def checked(server: Running, peer: Peer, workload: Workload, model: Path) -> float:
    """Return the largest difference between a server's answers and XGBoost's own.

    Raises
    ------
    BenchError
        They differ by more than 1e-5 of the larger of 1 and the answer, or are none.
    """
    kind = peer.speaks[workload.format]
    status, content = ask(server.port, server.route, body(workload, kind), SHORT[workload.format])
    if status != 200:
        raise BenchError(f"{workload.name}: answered {status}, {content[:300]!r}")
    wanted = expected(workload, model)
    try:
        answers = np.asarray(read_answer(content, kind), np.float64)
    except (ValueError, KeyError, IndexError) as fault:
        raise BenchError(f"{workload.name}: no scores in {content[:200]!r}: {fault}") from fault
    if answers.shape != wanted.shape:
        raise BenchError(f"{workload.name}: shape {answers.shape}, expected {wanted.shape}")
    difference = float(np.max(np.abs(answers - wanted) / np.maximum(1, np.abs(wanted))))
    if not difference <= TOLERANCE:
        raise BenchError(f"{workload.name}: off by {difference:.1e} from XGBoost's own answers")
    return difference
