"""What the engines must know of a booster, read from XGBoost's own JSON.

Two documents tell it: the configuration (objective, base score, counts) and the model (the
trees). Attributes such as `best_iteration` and feature types set on the Python object are left
aside, since `Booster.predict` uses every tree and the model itself names its categorical splits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churn_daal.engine.objectives import Floats

if TYPE_CHECKING:
    import xgboost

# The child index of a leaf.
NO_CHILD = -1
_DEEPEST = 1_000


@dataclass(frozen=True)
class Anatomy:
    """A booster's counts and parameters.

    Attributes
    ----------
    kind
        `gbtree`, `dart` or `gblinear`.
    objective
        XGBoost's name of the objective.
    n_features
        Columns it was trained on.
    n_classes
        K of a `multi:*` model; 0 for every other.
    n_targets
        Outputs that are not classes; 1 but for multi-target models and vector quantiles.
    base_scores
        On the answer's scale; one for each output, or one for all.
    """

    kind: str
    objective: str
    n_features: int
    n_classes: int
    n_targets: int
    base_scores: tuple[float, ...]


def read_config(booster: xgboost.Booster) -> dict[str, Any]:
    """Return the booster's configuration, a fresh copy."""
    config: dict[str, Any] = json.loads(booster.save_config())
    return config


def read_anatomy(config: dict[str, Any]) -> Anatomy:
    """Pick the counts and parameters out of a configuration."""
    trained, model = (
        config["learner"][section] for section in ("learner_train_param", "learner_model_param")
    )
    # Before XGBoost 3.1 this was one number; since then it is a JSON list.
    scores = json.loads(model["base_score"])
    return Anatomy(
        kind=trained["booster"],
        objective=trained["objective"],
        n_features=int(model["num_feature"]),
        n_classes=int(model["num_class"]),
        n_targets=int(model.get("num_target", 1)),
        base_scores=tuple(scores) if isinstance(scores, list) else (float(scores),),
    )


def read_forest(booster: xgboost.Booster) -> dict[str, Any]:
    """Return the `model` part of a gbtree booster's JSON: `trees` and what goes with them.

    In XGBoost 3.4 a dart booster is a gbtree one with a `weight_drop` for each tree.
    """
    model = json.loads(bytes(booster.save_raw("json")))
    forest: dict[str, Any] = model["learner"]["gradient_booster"]["model"]
    return forest


def depth(tree: dict[str, Any], *, most: int) -> int:
    """Return how many splits the longest path passes, counting no further than `most` + 1."""
    left, right = (np.asarray(tree[side]) for side in ("left_children", "right_children"))
    level, passed = np.zeros(1, dtype=np.int64), 0
    while passed <= most:
        inner = level[left[level] != NO_CHILD]
        if not len(inner):
            break
        level, passed = np.concatenate([left[inner], right[inner]]), passed + 1
    return passed


def shap_work(trees: list[dict[str, Any]]) -> int:
    """Return what TreeSHAP takes for one row: leaves times depth squared, over all trees.

    After Lundberg et al., "Consistent individualized feature attribution for tree ensembles",
    2018; 0.3 to 5 ns each on one core as measured.
    """
    work = 0
    for tree in trees:
        leaves = int((np.asarray(tree["left_children"]) == NO_CHILD).sum())
        work += leaves * max(1, depth(tree, most=_DEEPEST)) ** 2
    return work


def split_thresholds(trees: list[dict[str, Any]], n_features: int) -> list[Floats]:
    """Return the distinct values that each feature is compared with.

    Returns
    -------
    One float32 array for each feature, sorted; empty for a feature no tree uses.
    """
    indices, values = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for tree in trees:
        inner = np.asarray(tree["left_children"]) != NO_CHILD
        indices.append(np.asarray(tree["split_indices"])[inner])
        values.append(np.asarray(tree["split_conditions"], dtype=np.float32)[inner])
    index, value = np.concatenate(indices), np.concatenate(values)
    return [np.unique(value[index == feature]) for feature in range(n_features)]
