"""Rounds in turn: in each, every server is started, checked, and asked every workload it can do."""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.serving import load
from bench.serving.checking import checked
from bench.serving.environments import compile_sources
from bench.serving.home import BenchError
from bench.serving.models import ModelSpec, trained
from bench.serving.peers import Peer
from bench.serving.servers import Running, ask, megabytes, running
from bench.serving.workloads import SHORT, Workload, body

# A slow cell is loaded longer, so that each connection has some answers, but no longer than this.
ANSWERS: Final = 3
LONGEST_SECONDS: Final = 30


@dataclass(frozen=True)
class Plan:
    """How often and how long.

    Attributes
    ----------
    rounds
        Times each server is started and each cell measured.
    seconds, warm_up
        Of load a cell and round, and of load before that, which is not counted.
    server_core, load_core
        The same where the machine has but one.
    """

    rounds: int
    seconds: int
    warm_up: int
    server_core: int
    load_core: int


@dataclass
class Findings:
    """Everything that was measured, by cell and round."""

    loads: dict[tuple[Workload, str], list[load.Load]] = field(
        default_factory=lambda: defaultdict(list)
    )
    differences: dict[tuple[Workload, str], float] = field(default_factory=dict)
    starts: dict[tuple[ModelSpec, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    memory: dict[tuple[ModelSpec, str], list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    left_out: dict[str, str] = field(default_factory=dict)

    def leave_out(self, what: str, fault: BenchError) -> None:
        """Keep why something has no figures."""
        self.left_out[what] = str(fault)
        print(f"  {what} is left out: {fault}", file=sys.stderr, flush=True)


def cores() -> tuple[int, int]:
    """Return the server's core and the load's, of those this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


def measure(peers: dict[str, Peer], workloads: Sequence[Workload], plan: Plan) -> Findings:
    """Measure all of it; what fails is left out, and said to be.

    Raises
    ------
    BenchError
        wrk or taskset is missing, or a model cannot be trained.
    """
    load.check_installed()
    findings = Findings()
    models = {workload.model: trained(workload.model) for workload in workloads}
    # Installed and trained first: nothing else may run while a server is measured.
    ready = {name: peer for name, peer in peers.items() if _installed(findings, name, peer)}
    compile_sources()
    os.sched_setaffinity(0, {plan.load_core})
    for spec, model in models.items():
        of_model = [workload for workload in workloads if workload.model == spec]
        for number in range(plan.rounds):
            for name, peer in ready.items():
                wanted = [workload for workload in of_model if does(peer, workload)]
                what = f"{name} on {spec.name}"
                if not wanted or what in findings.left_out:
                    continue
                print(f"round {number + 1}: {what}", file=sys.stderr, flush=True)
                try:
                    _round(findings, name, peer, plan, model=model, workloads=wanted)
                except BenchError as fault:
                    findings.leave_out(what, fault)
    return findings


def _installed(findings: Findings, name: str, peer: Peer) -> bool:
    try:
        peer.python()
    except BenchError as fault:
        findings.leave_out(name, fault)
    return name not in findings.left_out


def does(peer: Peer, workload: Workload) -> bool:
    """Tell whether a server reads what a workload sends."""
    return workload.format in peer.speaks and (peer.raw or not workload.model.raw)


def _round(
    findings: Findings,
    name: str,
    peer: Peer,
    plan: Plan,
    *,
    model: Path,
    workloads: Sequence[Workload],
) -> None:
    spec, first = workloads[0].model, workloads[0]
    content = body(first, peer.speaks[first.format])
    kind = SHORT[first.format]
    with running(peer, model, core=plan.server_core, body=content, content_type=kind) as server:
        findings.starts[spec, name].append(server.start_seconds)
        for workload in workloads:
            what = f"{name} on {workload.name}"
            if what in findings.left_out:
                continue
            try:
                _cell(findings, (workload, name), server, peer, plan, model=model)
            except BenchError as fault:
                findings.leave_out(what, fault)
                findings.loads.pop((workload, name), None)
        findings.memory[spec, name].append(megabytes(server.process))


def _cell(
    findings: Findings,
    key: tuple[Workload, str],
    server: Running,
    peer: Peer,
    plan: Plan,
    *,
    model: Path,
) -> None:
    if not peer.constant:
        difference = checked(server, peer, key[0], model)
        findings.differences[key] = max(difference, findings.differences.get(key, 0))
    findings.loads[key].append(_loaded(server, peer, key[0], plan))


def _loaded(server: Running, peer: Peer, workload: Workload, plan: Plan) -> load.Load:
    with tempfile.NamedTemporaryFile() as file:
        path, kind = Path(file.name), SHORT[workload.format]
        content = body(workload, peer.speaks[workload.format])
        path.write_bytes(content)
        how: dict[str, Any] = {"connections": workload.connections, "core": plan.load_core}
        if plan.warm_up:
            seconds = _long_enough(server, content, kind, workload, plan.warm_up)
            load.run(server.url, path, kind, seconds=seconds, **how)
        seconds = _long_enough(server, content, kind, workload, plan.seconds)
        return load.run(server.url, path, kind, seconds=seconds, **how)


def _long_enough(
    server: Running, content: bytes, kind: str, workload: Workload, seconds: int
) -> int:
    """Return seconds of load that hold some answers for each connection."""
    begin = time.perf_counter()
    ask(server.port, server.route, content, kind)
    one = time.perf_counter() - begin
    return max(seconds, min(LONGEST_SECONDS, math.ceil(one * workload.connections * ANSWERS)))


def median_load(loads: Sequence[load.Load]) -> load.Load:
    """Return the median of each figure over the rounds."""
    return load.Load(
        *(
            statistics.median(getattr(one, name) for one in loads)
            for name in ("rate", "mean", "p50", "p90", "p99")
        )
    )
