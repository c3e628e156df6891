"""Tables for people, made from a run's document alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

Document = dict[str, Any]
# What the servers of this project are compared with, where it was measured.
RIVALS: Final = ("aws", "aws-nginx", "flask")


def tables(found: Document) -> str:
    """Return every table, as Markdown."""
    parts = [
        _heading(found),
        _servers(found),
        _rates(found, "rate", "Requests a second, median of the rounds", "{:,.0f}"),
        _ratios(found),
        _rates(found, "mean", "Latency, mean in ms", "{:,.2f}"),
        _rates(found, "p50", "Latency, p50 in ms", "{:,.2f}"),
        _rates(found, "p99", "Latency, p99 in ms", "{:,.2f}"),
        _starts(found),
        _engines(found),
        _left_out(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(found: Document) -> str:
    had, plan = found["machine"], found["plan"]
    text = (
        f"Measured {found['made'][:10]} on {had['processor']}, {had['cores']} cores, "
        f"{had['memory_gb']} GB, Linux {had['kernel']}, Python {had['python']}, wrk {had['wrk']}: "
        f"rounds in turn: {plan['rounds']}, of {plan['seconds']} s of load, the server on core "
        f"{plan['server_core']} and the load on core {plan['load_core']}."
    )
    return f"{text} {found['note']}".strip()


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _servers(found: Document) -> str:
    rows = [
        [
            name,
            told["about"],
            ", ".join(f"{package} {version}" for package, version in told["versions"].items()),
            f"{told['environment_mb']:,}" if told["environment_mb"] else "-",
        ]
        for name, told in found["servers"].items()
    ]
    image = f"\n\nThe image of `make build`: {found['image_mb']:,} MB." if found["image_mb"] else ""
    return _table(["server", "what it is", "versions", "environment, MB"], rows) + image


def _by_workload(found: Document) -> dict[str, dict[str, Document]]:
    cells: dict[str, dict[str, Document]] = {}
    for cell in found["cells"]:
        cells.setdefault(cell["workload"], {})[cell["server"]] = cell
    return cells


def _rates(found: Document, figure: str, title: str, shown: str) -> str:
    cells = _by_workload(found)
    names = [name for name in found["servers"] if any(name in row for row in cells.values())]
    rows = [
        [workload, *(shown.format(of[name][figure]) if name in of else "-" for name in names)]
        for workload, of in cells.items()
    ]
    return f"**{title}**\n\n" + _table(["workload", *names], rows)


def _ratios(found: Document) -> str:
    """Compare each server of this project with each rival: rates, and medians of latency."""
    cells = _by_workload(found)
    pairs = [(o, r) for o in found["servers"] if o.startswith("ours") for r in RIVALS]
    pairs = [(o, r) for o, r in pairs if any(o in of and r in of for of in cells.values())]
    if not pairs:
        return ""
    rows = []
    for workload, of in cells.items():
        row = [
            f"{of[o]['rate'] / of[r]['rate']:.1f} x, mean {of[o]['mean'] / of[r]['mean']:.2f}, "
            f"p50 {of[o]['p50'] / of[r]['p50']:.2f}"
            if o in of and r in of
            else "-"
            for o, r in pairs
        ]
        if set(row) != {"-"}:
            rows.append([workload, *row])
    head = ["workload", *(f"{o} against {r}" for o, r in pairs)]
    return "**Ratios: requests a second, and latency, mean and p50, as a share**\n\n" + _table(
        head, rows
    )


def _starts(found: Document) -> str:
    rivals = {s["model"]: s["seconds"] for s in found["starts"] if s["server"] == RIVALS[0]}
    rows = [
        [
            start["model"],
            start["server"],
            f"{start['seconds']:.2f}",
            f"{start['seconds'] / rivals[start['model']]:.2f}" if start["model"] in rivals else "-",
            f"{start['worker_mb']:,.0f}",
            f"{start['total_mb']:,.0f}",
        ]
        for start in found["starts"]
    ]
    head = [
        "model",
        "server",
        "cold start, s",
        f"share of {RIVALS[0]}",
        "worker RSS, MB",
        "all, MB",
    ]
    return (
        "**Cold start (process start to the first prediction) and memory after the load**\n\n"
        + (_table(head, rows))
    )


def _engines(found: Document) -> str:
    if not found["engines"]:
        return ""
    counts = list(found["engines"][0]["us"])
    base = {one["model"]: one["us"] for one in found["engines"] if one["engine"] == "xgboost"}

    def shown(one: Document, count: str) -> str:
        of = base.get(one["model"])
        ratio = f" ({of[count] / one['us'][count]:.1f} x)" if of else ""
        return f"{one['us'][count]:,.0f}{ratio}"

    rows = [
        [one["model"], one["engine"], *(shown(one, c) for c in counts), f"{one['load_ms']:.1f}"]
        for one in found["engines"]
    ]
    labels = ["1 row" if count == "1" else f"{int(count):,} rows" for count in counts]
    head = ["model", "engine", *labels, "model load, ms"]
    return (
        "**Prediction alone, us a request on one thread (and how many times as fast as XGBoost's "
        "`inplace_predict`)**\n\n" + _table(head, rows)
    )


def _left_out(found: Document) -> str:
    lines = [f"- {what}: {' '.join(why.split())[:200]}" for what, why in found["left_out"].items()]
    return "**Left out**\n\n" + "\n".join(lines) if lines else ""
