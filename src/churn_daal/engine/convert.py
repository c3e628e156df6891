"""From a booster to a oneDAL model.

daal4py's converter knows a few objectives, and takes some of the others wrongly and in silence:
`survival:cox` comes out with margins off by one. But it adds up the trees of any single-output
model rightly when its configuration says plain regression and the base score is given as a
margin. So it is told exactly that, for every single-output objective, and the link stays ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from churn_daal.engine.anatomy import Anatomy, depth, read_anatomy, read_config, read_forest
from churn_daal.engine.objectives import Objective, objective_named
from churn_daal.engine.onedal import ClassifierEngine, MarginEngine, NativeModel
from churn_daal.errors import ConversionError, UserError

if TYPE_CHECKING:
    import xgboost

# With two classes daal4py takes a multi:* model for a regression and adds both classes up.
FEWEST_CLASSES = 3
# The converter recurses once a level and JSON's reader twice, against Python's limit of 1,000;
# and XGBoost's text dump takes minutes for one path of 3,000 splits.
DEEPEST = 256


def convert(booster: xgboost.Booster) -> MarginEngine | ClassifierEngine:
    """Build the oneDAL engine that answers what `Booster.predict` answers, with all its trees.

    The booster is not altered. Whether the answers are equal is for the gate in `parity` to say.

    Raises
    ------
    ConversionError
        oneDAL cannot represent the booster: its kind (dart, gblinear), several targets,
        categorical splits, a `multi:*` model of two classes or with `num_parallel_tree`, an
        unknown objective, no trees, trees too deep, or whatever daal4py refuses.
    """
    config = read_config(booster)
    anatomy = read_anatomy(config)
    try:
        objective = objective_named(anatomy.objective)
    except UserError as error:
        raise ConversionError(str(error)) from error
    _refuse_shape(anatomy, objective)
    _refuse_trees(read_forest(booster), anatomy)
    if objective.link == "softmax":
        return ClassifierEngine(_model(booster, config), objective, anatomy.n_classes)
    return MarginEngine(_model(booster, _as_plain_sum(config, anatomy, objective)), objective)


def _refuse_shape(anatomy: Anatomy, objective: Objective) -> None:
    if anatomy.kind != "gbtree":
        raise ConversionError(f"oneDAL has no form for booster={anatomy.kind}, only for gbtree")
    if anatomy.n_targets > 1:
        raise ConversionError(f"oneDAL models have one output, this has {anatomy.n_targets}")
    if objective.link == "softmax" and anatomy.n_classes < FEWEST_CLASSES:
        raise ConversionError(
            f"{objective.name} with {anatomy.n_classes} classes has no oneDAL form; "
            "binary:logistic has"
        )


def _refuse_trees(forest: dict[str, Any], anatomy: Anatomy) -> None:
    trees = forest["trees"]
    if any(weight != 1 for weight in forest.get("weight_drop", ())):
        raise ConversionError("oneDAL has no form for the tree weights of booster=dart")
    if not trees:
        raise ConversionError("the booster has no trees")
    if any(int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in trees):
        raise ConversionError("oneDAL trees hold one number a leaf, these hold a vector")
    if any(tree["categories_nodes"] for tree in trees):
        raise ConversionError("oneDAL has no form for categorical splits")
    if any(depth(tree, most=DEEPEST) > DEEPEST for tree in trees):
        raise ConversionError(f"its trees are too deep to convert: more than {DEEPEST} levels")
    parallel = int(forest["gbtree_model_param"]["num_parallel_tree"])
    # The converter deals a round's trees to the classes one by one.
    if anatomy.n_classes and parallel > 1:
        raise ConversionError(f"{anatomy.objective} with num_parallel_tree={parallel}")


def _as_plain_sum(config: dict[str, Any], anatomy: Anatomy, objective: Objective) -> dict[str, Any]:
    margin = objective.base_margin(anatomy.base_scores[0])
    if not np.isfinite(margin):
        raise ConversionError(
            f"base_score {anatomy.base_scores[0]:g} of {objective.name} has the margin {margin}"
        )
    learner = config["learner"]
    learner["learner_train_param"]["objective"] = "reg:squarederror"
    learner["learner_model_param"]["base_score"] = repr(margin)
    return config


def _model(booster: xgboost.Booster, config: dict[str, Any]) -> NativeModel:
    # Here, as it takes a second and brings scikit-learn: serving a stored model needs neither.
    from daal4py.mb.gbt_convertors import get_gbt_model_from_xgboost  # noqa: PLC0415

    # A copy without what the converter would read and misread: a best_iteration is taken for a
    # count of trees, and names and types only change the text dump it parses.
    plain = booster.copy()
    plain.feature_names = plain.feature_types = None
    plain.set_attr(best_iteration=None)
    try:
        return get_gbt_model_from_xgboost(plain, config)
    except RecursionError as error:
        raise ConversionError("the trees are too deep for daal4py's converter") from error
    except Exception as error:
        raise ConversionError(f"daal4py refused it: {type(error).__name__}: {error}") from error
