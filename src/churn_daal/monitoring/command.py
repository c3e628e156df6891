"""The drift report as a command: captured JSON lines in, drift.json and violations out."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from churn_daal.artifact.packed import manifest_of
from churn_daal.errors import UserError
from churn_daal.monitoring.answers import Answers
from churn_daal.monitoring.baseline import baseline_of
from churn_daal.monitoring.captured import exchanges, files_of
from churn_daal.monitoring.drift import Limits, report
from churn_daal.monitoring.observed import Counter
from churn_daal.report.files import write_json

DRIFTED = 3
# Where a processing job has its files, so that it needs no arguments.
_INPUT = Path("/opt/ml/processing/input")
_OUTPUT = Path("/opt/ml/processing/output")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, 1 for input that cannot be read, 3 for drift if asked to fail."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = _parser().parse_args(arguments)
    limits = Limits(**{one.name: getattr(options, one.name) for one in fields(Limits)})
    try:
        made = write(options.model, options.captured, options.statistics, options.output, limits)
    except UserError as error:
        print(f"churn_daal.monitoring: {error}", file=sys.stderr)
        return 1
    window = made["window"]
    print(f"{made['verdict']}: {window['rows']} rows of {window['exchanges']} captured exchanges")
    if window["refused"]:
        print(f"{window['refused']} requests do not fit the model: {window['first_refusal']}")
    for violation in made["violations"]:
        print(f"{violation['feature_name']}: {violation['description']}")
    return DRIFTED if options.fail_on_drift and made["verdict"] == "drift" else 0


def write(
    model: Path, captured: Path, statistics: Path | None, output: Path, limits: Limits
) -> dict[str, Any]:
    """Write drift.json and constraint_violations.json; return the former.

    Parameters
    ----------
    model
        model.tar.gz, or its folder.
    captured
        A file of captured data, or a folder of them at any depth.
    statistics
        The training job's statistics.json; None to compare shares and ranges alone.
    output
        Folder to write to.
    limits
        See there.

    Raises
    ------
    UserError
        One of the inputs cannot be read, no request fits the model, or the folder cannot be
        written to. Nothing is written then.
    """
    manifest = manifest_of(model)
    baseline = baseline_of(manifest, statistics)
    files = files_of(captured)
    counter, answers = Counter(manifest, baseline), Answers()
    for exchange in exchanges(files):
        counter.add(exchange)
        if exchange.answer is not None:
            answers.add(exchange.answer)
    seen = counter.seen
    if not seen.rows:
        why = f"the first: {seen.first_refusal}" if seen.first_refusal else "they hold none"
        raise UserError(
            f"{captured}: no row of {seen.exchanges} exchanges can be read with the columns of "
            f"{model} ({why}). Name the model that the endpoint serves, and capture its input"
        )
    made = {
        "model": manifest.files.get("xgboost-model"),
        "baseline": "manifest" if statistics is None else "manifest and statistics.json",
        "files": len(files),
        **report(baseline, seen, limits),
        "answers": answers.to_dict(),
    }
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_json(output / "drift.json", made)
        violations = {"violations": made["violations"]}
        write_json(output / "constraint_violations.json", violations)
    except OSError as error:
        raise UserError(f"{output} cannot be written to: {error.strerror}") from None
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m churn_daal.monitoring",
        description="Compare what an endpoint was asked with what its model was trained on.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    model = _INPUT / "model" / "model.tar.gz"
    parser.add_argument("--model", type=Path, default=model, help="model.tar.gz, or its folder")
    parser.add_argument(
        "--captured", type=Path, default=_INPUT / "captured", help="captured data, file or folder"
    )
    parser.add_argument(
        "--statistics", type=Path, help="the training job's statistics.json, for distributions"
    )
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="folder to write to")
    told = {
        "psi": "largest population stability index",
        "missing": "largest change of the share of missing cells",
        "out_of_range": "largest share of cells beyond the range of training",
        "unseen": "largest share of cells with an unseen category",
        "rows": "rows below which there is no verdict",
    }
    for one in fields(Limits):
        name = f"--max-{one.name.replace('_', '-')}" if one.name != "rows" else "--min-rows"
        kind = int if one.name == "rows" else float
        parser.add_argument(
            name, dest=one.name, type=kind, default=one.default, help=told[one.name]
        )
    parser.add_argument(
        "--fail-on-drift", action="store_true", help=f"end with status {DRIFTED} if there is any"
    )
    return parser
