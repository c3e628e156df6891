"""Judges a trained model on the test rows; a processing step runs it in this image.

The figures are of the probabilities as the endpoint will answer them, and of the classes by the
model's own threshold, which lies in its manifest and nowhere else.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from churn_daal.errors import ChurnDaalError, UserError
from churn_daal.evaluation import answer_rows, open_package
from churn_daal.evaluation.packages import unpack
from churn_daal.machine import usable_cores
from churn_daal.report import model_quality

PROCESSING: Final = Path("/opt/ml/processing")
# What SageMaker shows as the job's ExitMessage, 1 KB of it.
EXIT_MESSAGE: Final = Path("/opt/ml/output/message")
# Written in training beside the model: the baseline of later data quality monitoring.
BASELINE: Final = ("statistics.json", "constraints.json")


def evaluate(model_path: Path, rows: Path, output: Path, *, label: str | None = None) -> Any:  # noqa: ANN401 - JSON
    """Write evaluation.json and constraints.json; return the former.

    Parameters
    ----------
    model_path
        model.tar.gz, or a folder with it.
    rows
        CSV or Parquet with the label, which the model was not trained on.
    output
        The folder to write to.
    label
        Its column; by default the model's own.

    Raises
    ------
    ChurnDaalError
        The model or the rows are at fault. Nothing is written then.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model = open_package(model_path, Path(scratch), threads=usable_cores())
        answered = answer_rows(model, rows, label=label)
    document = model_quality.statistics(answered.truth, answered.probability, answered.positive)
    manifest = model.manifest
    document["model"] = {
        "objective": manifest.objective,
        "threshold": manifest.threshold,
        "label": manifest.labels.name,
        "classes": list(manifest.labels.classes),
        "engine": manifest.engine.name,
    }
    output.mkdir(parents=True, exist_ok=True)
    _write(output / "constraints.json", model_quality.constraints(document))
    _write(output / "evaluation.json", document)
    return document


def take_baseline(training_output: Path, output: Path) -> None:
    """Copy the data quality baseline out of a training job's output.tar.gz.

    Raises
    ------
    UserError
        The archive is damaged, or the baseline is not in it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        archive = training_output / "output.tar.gz"
        if not archive.is_file():
            raise UserError(f"there is no {archive}; pass the training job's output.tar.gz")
        unpack(archive, Path(scratch))
        # SageMaker packs the files themselves, the SDK's local mode their folder too.
        found = {name: next(Path(scratch).rglob(name), None) for name in BASELINE}
        for name, path in found.items():
            if path is None:
                raise UserError(
                    f"{archive} has no {name}; the training job's log says why its report was not "
                    "written"
                )
        output.mkdir(parents=True, exist_ok=True)
        for name, path in found.items():
            shutil.copyfile(str(path), output / name)


def _write(path: Path, document: object) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("evaluate", description="Judge a model on labelled rows.")
    parser.add_argument("--model", type=Path, default=PROCESSING / "model")
    parser.add_argument("--test", type=Path, default=PROCESSING / "test")
    parser.add_argument("--output", type=Path, default=PROCESSING / "evaluation")
    parser.add_argument("--label", default=None, help="by default the model's own")
    parser.add_argument("--training-output", type=Path, help="folder with output.tar.gz")
    parser.add_argument("--baseline", type=Path, default=PROCESSING / "baseline")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the step; return its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    args = _parser().parse_args(arguments)
    try:
        if args.training_output is not None:
            take_baseline(args.training_output, args.baseline)
        document = evaluate(args.model, args.test, args.output, label=args.label)
    except (ChurnDaalError, OSError) as error:
        message = f"evaluate: {error}".replace("hyperparameter label", "--label")
        print(message, file=sys.stderr)
        if EXIT_MESSAGE.parent.is_dir():
            EXIT_MESSAGE.write_text(message[:1024], encoding="utf-8")
        return 1
    figures = document["binary_classification_metrics"]
    for name in ("accuracy", "auc", "precision", "recall", "f1"):
        print(f"{name} {figures[name]['value']:.6f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
