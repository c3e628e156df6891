"""`python -m bench.serving`: measure, print the tables, write them and the figures as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.serving import report
from bench.serving.document import document
from bench.serving.engine_times import ENGINE_PINS, time_engines
from bench.serving.home import BenchError, home
from bench.serving.measure import Plan, cores, measure
from bench.serving.peers import PEERS, Peer, ours
from bench.serving.workloads import Workload, everything, short

# What needs no packages beside the product's own.
QUICK_PEERS = ("ours", "flask")
QUICK_ENGINES = ("onedal", "xgboost")


def arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small models, one short round")
    parser.add_argument("--peers", help=f"of {','.join(PEERS)}; all unless given")
    parser.add_argument(
        "--ours",
        action="append",
        default=[],
        metavar="NAME:VARIABLE=VALUE,...",
        help="one more server of this project, with settings; measured as ours-NAME",
    )
    parser.add_argument("--workloads", help="words that a workload's name must hold, by comma")
    parser.add_argument("--engines", help=f"of {','.join(ENGINE_PINS)}; none for an empty word")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--image", default="churn-daal:latest", help="whose size is told")
    parser.add_argument("--note", default="", help="kept beside the figures")
    parser.add_argument("--out", type=Path, help="folder for the JSON and the tables")
    parser.add_argument(
        "--table", type=Path, help="print the tables of such a JSON, measure nothing"
    )
    parser.add_argument("--page", type=Path, help="with --table: write them below its ## Figures")
    return parser.parse_args(words)


def chosen_peers(given: argparse.Namespace) -> dict[str, Peer]:
    """Return the servers to measure.

    Raises
    ------
    BenchError
        There is no such server, or a server of ours is not given as its help says.
    """
    added = {}
    for text in given.ours:
        name, _, settings = text.partition(":")
        pairs = [pair.partition("=") for pair in settings.split(",") if pair]
        if not name or not pairs or any(not equals for _, equals, _ in pairs):
            raise BenchError(f"--ours {text}: expected NAME:VARIABLE=VALUE,VARIABLE=VALUE")
        environ = {variable: value for variable, _, value in pairs}
        added[f"ours-{name}"] = ours(f"serve with {settings}", **environ)
    known = PEERS | added
    usual = QUICK_PEERS if given.quick else PEERS
    names = given.peers.split(",") if given.peers else [*usual]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BenchError(f"no server {', '.join(unknown)}; there are {', '.join(known)}")
    return added | {name: known[name] for name in names}


def chosen_workloads(given: argparse.Namespace) -> list[Workload]:
    """Return the workloads to ask.

    Raises
    ------
    BenchError
        None has the words.
    """
    whole = short() if given.quick else everything()
    words = [word.strip() for word in (given.workloads or "").split(",") if word.strip()]
    chosen = [one for one in whole if all(word in f"{one.name}," for word in words)]
    if not chosen:
        names = "\n".join(workload.name for workload in whole)
        raise BenchError(f"no workload has all of {words}; there are\n{names}")
    return chosen


def main(words: list[str]) -> int:
    """Measure and report; return the exit code."""
    given = arguments(words)
    if given.table:
        shown = report.tables(json.loads(given.table.read_text(encoding="utf-8")))
        if given.page is None:
            print(shown, end="")
        else:
            above, heading, _ = given.page.read_text(encoding="utf-8").partition("## Figures\n")
            given.page.write_text(f"{above}{heading}\n{shown}", encoding="utf-8")
        return 0
    try:
        peers, workloads = chosen_peers(given), chosen_workloads(given)
        server_core, load_core = cores()
        few = 1 if given.quick else 3
        plan = Plan(
            rounds=given.rounds or few,
            seconds=given.seconds or few,
            warm_up=0 if given.quick else 1,
            server_core=server_core,
            load_core=load_core,
        )
        findings = measure(peers, workloads, plan)
        usual = QUICK_ENGINES if given.quick else ENGINE_PINS
        engines = [name for name in (given.engines or "").split(",") if name]
        if given.engines is None:
            engines = [*usual]
        models = list(dict.fromkeys(one.model for one in workloads if not one.model.raw))
        times = time_engines(engines, models, plan, findings.left_out)
    except BenchError as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return 1
    told = document(findings, peers, plan, engines=times, image=given.image, note=given.note)
    out = given.out or home() / "results"
    out.mkdir(parents=True, exist_ok=True)
    text = report.tables(told)
    (out / "serving.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (out / "serving.md").write_text(text, encoding="utf-8")
    print(text)
    print(f"written to {out / 'serving.json'} and {out / 'serving.md'}", file=sys.stderr)
    return 0 if not findings.left_out else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
