"""What a run found, as JSON has it, with the machine and the versions it was found on."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.serving import machine
from bench.serving.environments import megabytes, versions
from bench.serving.measure import Findings, Plan, median_load
from bench.serving.peers import Peer

Document = dict[str, Any]


def document(
    findings: Findings,
    peers: Mapping[str, Peer],
    plan: Plan,
    *,
    engines: list[dict[str, Any]],
    image: str,
    note: str,
) -> Document:
    """Return everything as JSON has it, with the machine it was measured on."""
    cells = [
        {
            "workload": workload.name,
            "model": workload.model.name,
            "rows": workload.rows,
            "format": workload.format,
            "connections": workload.connections,
            "server": name,
            "rates": [round(one.rate, 1) for one in loads],
            "difference": findings.differences.get((workload, name)),
            **{key: round(value, 3) for key, value in asdict(median_load(loads)).items()},
        }
        for (workload, name), loads in findings.loads.items()
        if loads
    ]
    starts = [
        {
            "model": spec.name,
            "server": name,
            "seconds": round(statistics.median(seconds), 3),
            "worker_mb": _middle(findings.memory[spec, name], 0),
            "total_mb": _middle(findings.memory[spec, name], 1),
        }
        for (spec, name), seconds in findings.starts.items()
        if findings.memory[spec, name]
    ]
    size = machine.image_megabytes(image)
    return {
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "note": note,
        "machine": machine.description(),
        "plan": asdict(plan),
        "servers": {n: _told(peer) for n, peer in peers.items() if n not in findings.left_out},
        "cells": cells,
        "starts": starts,
        "engines": engines,
        "image_mb": size and round(size),
        "left_out": findings.left_out,
    }


def _middle(memory: Sequence[tuple[float, float]], place: int) -> float:
    return round(statistics.median(pair[place] for pair in memory), 1)


def _told(peer: Peer) -> Document:
    python = peer.python()
    size = round(megabytes(python)) if peer.pins else None
    shown = versions(python, peer.shows)
    return {"about": peer.about, "versions": shown, "environment_mb": size}
