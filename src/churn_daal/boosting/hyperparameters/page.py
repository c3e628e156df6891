"""The table of hyperparameters in Markdown, as docs/hyperparameters.md shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from churn_daal.boosting.hyperparameters.legacy import OLD_VALUES
from churn_daal.boosting.hyperparameters.row import LEGACY, TOOLKIT, XGBOOST, Hyperparameter
from churn_daal.boosting.hyperparameters.table import HYPERPARAMETERS
from churn_daal.boosting.hyperparameters.updaters import GROWERS


def document() -> str:
    """Return the table of every hyperparameter, in three parts, and that of old values."""
    parts = [
        "### XGBoost's\n",
        *_table(row for row in HYPERPARAMETERS if row.owner == XGBOOST),
        "\n### The toolkit's own\n",
        *_table(row for row in HYPERPARAMETERS if row.owner == TOOLKIT),
        "\n### Names of earlier versions\n",
        *_legacy(row for row in HYPERPARAMETERS if row.owner == LEGACY),
        "\n### Values of earlier versions\n",
        *_old_values(),
    ]
    return "\n".join(parts) + "\n"


def _table(rows: Iterable[Hyperparameter]) -> Iterator[str]:
    yield "| Name | Type | Default | Range | Meaning |"
    yield "|---|---|---|---|---|"
    for row in rows:
        names = ", ".join(f"`{name}`" for name in (row.name, *row.aliases))
        default = "" if row.default is None else f"`{_plain(row.default)}`"
        yield f"| {names} | {row.type} | {default} | {row.span} | {row.help} |"


def _legacy(rows: Iterable[Hyperparameter]) -> Iterator[str]:
    yield "| Name | Type | Range | What becomes of it |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| `{row.name}` | {row.type} | {row.span} | {row.help} |"


def _old_values() -> Iterator[str]:
    yield "| Hyperparameter | Old value | Taken as |"
    yield "|---|---|---|"
    for name, values in OLD_VALUES.items():
        for old, new in values.items():
            yield f"| `{name}` | `{old}` | `{new}` |"
    for step, method in GROWERS.items():
        yield f"| `updater` | `{step}`, alone or with `prune`, `sync` | `tree_method` `{method}` |"


def _plain(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
