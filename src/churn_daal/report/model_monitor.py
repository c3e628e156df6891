"""statistics.json and constraints.json, the baseline of a SageMaker Model Monitor schedule.

They have the fields that Model Monitor's own baseline job writes (AWS, "Schema for Statistics"
and "Schema for Constraints", Amazon SageMaker developer guide), so that a schedule can be made
without one. The buckets are made as in deequ, on which that job is built: ten of one width, the
last with its upper bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.report.column_quality import ColumnQuality
from churn_daal.report.sketch import SHRINKING

BUCKETS = 10
# Beyond this many values a list of the allowed ones would refuse good data.
MOST_DOMAIN_VALUES = 100
_VERSION = 0.0


def statistics(channel: ChannelQuality) -> dict[str, Any]:
    """Return the document of statistics, features in the schema's order."""
    return {
        "version": _VERSION,
        "dataset": {"item_count": channel.rows},
        "features": [_feature(column) for column in channel.columns],
    }


def constraints(channel: ChannelQuality) -> dict[str, Any]:
    """Return the document of constraints: types, completeness, signs, small sets of values."""
    return {
        "version": _VERSION,
        "features": [_constraint(column) for column in channel.columns],
        # The values that Model Monitor's own baseline job writes.
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
            },
        },
    }


def _inferred_type(column: ColumnQuality) -> str:
    if not column.present:
        return "Unknown"
    if not column.numeric:
        return "String"
    return "Integral" if column.moments.whole and not column.moments.infinite else "Fractional"


def _feature(column: ColumnQuality) -> dict[str, Any]:
    feature: dict[str, Any] = {"name": column.name, "inferred_type": _inferred_type(column)}
    if column.numeric:
        # Infinite values are in no figure, so they are not present here.
        present = column.moments.count
        common = {"num_present": present, "num_missing": column.rows - present}
        if present:
            feature["numerical_statistics"] = {"common": common, **_numerical(column)}
        return feature
    common = {"num_present": column.present, "num_missing": column.missing}
    buckets = [
        {"value": value, "count": count}
        for value, count in column.categories.top(len(column.categories.counts))
    ]
    feature["string_statistics"] = {
        "common": common,
        "distinct_count": float(column.categories.distinct),
        "distribution": {"categorical": {"buckets": buckets}},
    }
    return feature


def _numerical(column: ColumnQuality) -> dict[str, Any]:
    moments, sketch = column.moments, column.sketch
    steps = np.arange(BUCKETS + 1) / BUCKETS
    bounds = moments.low + (moments.high - moments.low) * steps
    bounds[-1] = moments.high
    ranks = sketch.ranks(bounds, inclusive=False)
    ranks[-1] = sketch.count
    buckets = [
        {"lower_bound": low, "upper_bound": high, "count": float(count)}
        for low, high, count in zip(bounds[:-1], bounds[1:], np.diff(ranks), strict=True)
    ]
    return {
        "mean": moments.mean,
        "sum": moments.mean * moments.count,
        "std_dev": moments.std,
        "min": moments.low,
        "max": moments.high,
        "distribution": {
            "kll": {
                "buckets": buckets,
                "sketch": {
                    "parameters": {"c": SHRINKING, "k": float(sketch.size)},
                    "data": list(sketch.levels),
                },
            }
        },
    }


def _constraint(column: ColumnQuality) -> dict[str, Any]:
    constraint: dict[str, Any] = {
        "name": column.name,
        "inferred_type": _inferred_type(column),
        "completeness": column.present / column.rows if column.rows else 0.0,
    }
    if not column.present or (column.numeric and not column.moments.count):
        return constraint
    if column.numeric:
        constraint["num_constraints"] = {"is_non_negative": column.moments.low >= 0}
    elif column.categories.exact and column.categories.distinct <= MOST_DOMAIN_VALUES:
        domain = sorted(column.categories.counts)
        constraint["string_constraints"] = {"domains": domain}
    return constraint
