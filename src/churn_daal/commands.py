"""`churn-daal`: what the toolkit does outside of its container."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from churn_daal.errors import ChurnDaalError
from churn_daal.machine import usable_cores


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, 1 where what it was given is at fault."""
    args = _parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except (ChurnDaalError, OSError) as error:
        print(f"churn-daal {args.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("churn-daal", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser(
        "compare",
        help="judge two models on the same labelled rows",
        description="Judge two models of a binary objective on the same labelled rows.",
    )
    compare.add_argument("first", type=Path, help="model.tar.gz, or a model folder")
    compare.add_argument("second", type=Path, help="the model that might take its place")
    compare.add_argument("rows", type=Path, help="CSV or Parquet with the label, or their folder")
    compare.add_argument("--label", default=None, help="its column; by default the models' own")
    compare.add_argument("--samples", type=int, default=1000, help="of the bootstrap")
    compare.add_argument("--seed", type=int, default=0)
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(run=_compare)
    return parser


def _compare(args: argparse.Namespace) -> int:
    # Here, since it loads XGBoost and scikit-learn, which --help has no use for.
    from churn_daal.evaluation import answer_rows, compare, open_package  # noqa: PLC0415

    answers = []
    for path in (args.first, args.second):
        with tempfile.TemporaryDirectory() as scratch:
            model = open_package(path, Path(scratch), threads=usable_cores())
            answers.append(answer_rows(model, args.rows, label=args.label, others=True))
    found = compare(answers[0], answers[1], samples=args.samples, seed=args.seed)
    if args.json:
        print(json.dumps(found.to_json(), indent=2))
        return 0
    print(f"{found.rows} rows; both answer the same class to {found.agreement:.2%} of them")
    print(f"{'':10}{'first':>10}{'second':>10}{'difference':>12}   95 % interval")
    for name, difference in found.differences.items():
        first, second = (figures[name] for figures in found.figures)
        print(
            f"{name:10}{first:10.4f}{second:10.4f}{difference['value']:+12.4f}"
            f"   {difference['low']:+.4f} to {difference['high']:+.4f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
