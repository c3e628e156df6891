"""What a model is worth on rows it did not train on, and the threshold chosen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from churn_daal import engine
from churn_daal.boosting.calibration import calibration_table
from churn_daal.boosting.dataset import Dataset
from churn_daal.boosting.hyperparameters import Hyperparameters
from churn_daal.boosting.metrics import held_out_metrics, probability
from churn_daal.boosting.thresholds import Rule, choose_threshold
from churn_daal.cluster import World
from churn_daal.errors import UserError
from churn_daal.report.metrics_document import Threshold
from churn_daal.training.checks import PROBABILITIES
from churn_daal.training.data import Data

# Encoded cells that are dense at a time: 64 MB.
_CELLS: Final = 1 << 24


@dataclass(frozen=True)
class Evaluation:
    """Figures of each set of rows.

    Attributes
    ----------
    channels
        Figures by the rows they are of: `validation`, `test`, `out_of_fold`.
    threshold
        Of binary answers; None where the objective has no probability of a positive class.
    calibration
        The calibration table of the held-out rows; None likewise.
    """

    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    threshold: Threshold | None = None
    calibration: Mapping[str, Any] | None = None

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The figures of the rows held out."""
        return self.channels["validation"]


def answers(model: engine.Engine, data: Dataset) -> NDArray[np.float32]:
    """Answer every row, a bounded number of them at a time: float32 (n,) or (n, K)."""
    most = max(1, _CELLS // data.width)
    parts = [
        model.predict(data.take(np.arange(start, min(start + most, len(data)))).X)
        for start in range(0, len(data), most)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


@dataclass(frozen=True)
class Answered:
    """Rows with what the model answered.

    Attributes
    ----------
    y
        float32 (n,), the encoded labels.
    response
        float32 (n,) or (n, K).
    weight
        float32 (n,); None where all rows count alike.
    """

    y: NDArray[np.float32]
    response: NDArray[np.float32]
    weight: NDArray[np.float32] | None


def answer_channels(model: engine.Engine, data: Data, world: World) -> dict[str, Answered]:
    """Answer the rows held out and those of the test channel, of every host."""
    found = {"validation": data.held_out}
    if data.test is not None:
        found["test"] = data.test
    return {name: _pooled(model, rows, world) for name, rows in found.items()}


def _pooled(model: engine.Engine, rows: Dataset, world: World) -> Answered:
    response = answers(model, rows)
    if world.size == 1:
        return Answered(rows.y, response, rows.weight)
    weighted = world.any(rows.weight is not None)
    weight = np.zeros(0, np.float32) if rows.weight is None else rows.weight
    return Answered(
        world.concatenate(rows.y),
        world.concatenate(response),
        world.concatenate(weight) if weighted else None,
    )


def evaluate(
    answered: Mapping[str, Answered], data: Data, hp: Hyperparameters, out_of_fold: Answered | None
) -> Evaluation:
    """Score the rows held out, those of the test channel, and the answers of cross-validation.

    The threshold is chosen on the answers out of fold where there are any: they are more rows.

    Raises
    ------
    UserError
        No row is held out, on any host.
    """
    held = answered["validation"]
    if not len(held.y):
        raise UserError("no row is held out; give more rows, or a validation channel")
    channels = dict(answered)
    if out_of_fold is not None:
        channels["out_of_fold"] = out_of_fold
    threshold = _threshold(channels, data, hp)
    value = hp.threshold if threshold is None else threshold.value
    calibration = None
    if data.objective in PROBABILITIES and (held.weight is None or held.weight.any()):
        shares = probability(data.objective, held.response)
        calibration = calibration_table(held.y, shares, held.weight).to_json()
    return Evaluation(
        channels={
            name: held_out_metrics(
                data.objective, rows.y, rows.response, rows.weight, threshold=value
            )
            for name, rows in channels.items()
        },
        threshold=threshold,
        calibration=calibration,
    )


def _threshold(
    answered: Mapping[str, Answered], data: Data, hp: Hyperparameters
) -> Threshold | None:
    if data.task != "binary":
        return None
    if hp.threshold_rule == "fixed":
        default = "default" if hp.threshold == 0.5 else "given"
        return Threshold(hp.threshold, default)
    name = "out_of_fold" if "out_of_fold" in answered else "validation"
    rows = answered[name]
    chosen = choose_threshold(
        rows.y,
        probability(data.objective, rows.response),
        rows.weight,
        rule=cast("Rule", hp.threshold_rule),
        cost_ratio=hp.cost_ratio,
    )
    details = {chosen.rule: chosen.figure, f"{chosen.rule}_at_0.5": chosen.default_figure}
    if chosen.rule == "cost":
        details["cost_ratio"] = hp.cost_ratio
    return Threshold(chosen.value, chosen.rule, chosen_on=name, details=details)
