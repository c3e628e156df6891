"""`/metrics`: the counters in Prometheus's text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from churn_daal.artifact import Manifest
from churn_daal.serving.counters import BOUNDS, COLUMNS, Histogram, Totals

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def render(totals: Totals, *, workers: int, manifest: Manifest | None) -> bytes:
    """Return the page.

    Parameters
    ----------
    totals
        The counters of all workers.
    workers
        How many there are meant to be.
    manifest
        Of the model that answers; None where there are several, or it has none.
    """
    lines = [*_requests(totals), *_single("gauge", "workers", "Server processes.", workers)]
    if manifest is not None:
        lines += _model(manifest)
        lines += _columns(totals, manifest)
    return ("\n".join(lines) + "\n").encode()


def _requests(totals: Totals) -> Iterator[str]:
    yield from _family("counter", "requests_total", "Requests answered, by status.")
    for status, count in totals.requests.items():
        yield _sample("requests_total", count, status=status)
    for kind, name, text, value in (
        ("gauge", "requests_in_flight", "Requests being answered.", totals.in_flight),
        ("counter", "rows_total", "Rows decoded.", totals.rows),
        ("counter", "request_bytes_total", "Bytes of request bodies.", totals.bytes_in),
        ("counter", "response_bytes_total", "Bytes of answers.", totals.bytes_out),
        ("counter", "worker_starts_total", "Worker processes started.", totals.starts),
        ("counter", "out_of_range_total", "Cells outside of training's range.", totals.outside),
        ("counter", "unseen_total", "Cells of a category unseen in training.", totals.unseen),
    ):
        yield from _single(kind, name, text, value)
    yield from _family("histogram", "stage_seconds", "Seconds of a request, by stage.")
    for stage, histogram in totals.stages.items():
        yield from _histogram(stage, histogram)


def _histogram(stage: str, histogram: Histogram) -> Iterator[str]:
    running = list(accumulate(histogram.counts))
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), running, strict=True):
        yield _sample("stage_seconds_bucket", count, stage=stage, le=bound)
    yield _sample("stage_seconds_sum", histogram.seconds, stage=stage)
    yield _sample("stage_seconds_count", running[-1], stage=stage)


def _model(manifest: Manifest) -> Iterator[str]:
    yield from _family("gauge", "model_info", "The model that answers; always 1.")
    yield _sample(
        "model_info",
        1,
        engine=manifest.engine.name,
        objective=manifest.objective,
        version=manifest.versions.get("churn_daal", ""),
        sha256=manifest.files.get("xgboost-model", ""),
    )
    parity = manifest.parity or {}
    if isinstance(difference := parity.get("max_difference"), int | float):
        text = "Largest difference from XGBoost that the parity gate found."
        yield from _single("gauge", "model_parity_max_difference", text, difference)


def _columns(totals: Totals, manifest: Manifest) -> Iterator[str]:
    columns = manifest.schema.columns[:COLUMNS]
    ranged = [
        (column.name, count)
        for column, count in zip(columns, totals.outside_of, strict=False)
        if column.kind == "number" and manifest.statistics.range_of(column.name)
    ]
    named = [
        (column.name, count)
        for column, count in zip(columns, totals.unseen_of, strict=False)
        if column.kind == "category"
    ]
    text = "Cells outside of training's range, by column."
    yield from _by_column("column_out_of_range_total", text, ranged)
    text = "Cells of a category unseen in training, by column."
    yield from _by_column("column_unseen_total", text, named)


def _by_column(name: str, text: str, counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield from _family("counter", name, text)
    for column, count in counts:
        yield _sample(name, count, column=column)


def _single(kind: str, name: str, text: str, value: float) -> Iterator[str]:
    yield from _family(kind, name, text)
    yield _sample(name, value)


def _family(kind: str, name: str, text: str) -> Iterator[str]:
    yield f"# HELP churn_daal_{name} {text}"
    yield f"# TYPE churn_daal_{name} {kind}"


def _sample(name: str, value: float, **labels: str) -> str:
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"churn_daal_{name}{{{inner}}} {value}" if inner else f"churn_daal_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
