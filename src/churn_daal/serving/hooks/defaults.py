"""What stands in for the functions that the user's inference code does not have."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from churn_daal import artifact
from churn_daal.artifact import foreign
from churn_daal.errors import ArtifactError, UserError
from churn_daal.serving.drift import Ranges
from churn_daal.serving.hooks.context import Context
from churn_daal.serving.predictions import SCORE, Predictions
from churn_daal.serving.reading import Reader, format_of
from churn_daal.serving.request import Request
from churn_daal.tabular.encoder import Matrix


def is_booster(model: object) -> bool:
    """Tell whether the user's model is XGBoost's own, without loading XGBoost to ask."""
    xgboost = sys.modules.get("xgboost")
    return xgboost is not None and isinstance(model, xgboost.Booster)


def reader_for(model: object, model_dir: Path) -> Reader:
    """Return what reads requests for a model.

    That is its own encoder, or one from the folder's manifest, or from the booster: the model
    itself, or the folder's.

    Raises
    ------
    UserError
        None of these is there.
    """
    if isinstance(model, artifact.Model):
        return Reader(model.encoder, Ranges.of(model.manifest))
    try:
        if foreign.is_foreign(model_dir) and is_booster(model):
            return Reader.of(foreign.describe(model))  # type: ignore[arg-type]
        return Reader.of(artifact.audit(model_dir))
    except ArtifactError as error:
        raise UserError(
            f"model_fn returned a {_named(model)}, and nothing tells its columns ({error}); add "
            "an input_fn(body, content_type) to the inference code"
        ) from error


def read_input(request: Request, reader: Reader, *, for_booster: bool) -> Any:  # noqa: ANN401
    """Decode a request whole.

    Returns
    -------
    float32 (n, width), or an `xgboost.DMatrix` of it where the model is a booster, as in AWS's
    image; None for a body without rows.

    Raises
    ------
    RequestError
        As `ModelService.answer`.
    """
    read, declared = format_of(request)
    blocks = list(reader.blocks(read, request, declared)) if len(request.body) else []
    if not blocks:
        return None
    matrix = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return request.trace.reading(_as_dmatrix, matrix) if for_booster else matrix


def as_rows(data: Any) -> Matrix:  # noqa: ANN401 - the user's
    """Return what an `input_fn` made as rows for this toolkit's model, float32 (n, width)."""
    X: Matrix = np.ascontiguousarray(np.atleast_2d(np.asarray(data, dtype=np.float32)))
    return X


def rows_of(data: object) -> int:
    """Return how many rows the code's data or prediction has; 0 where that cannot be told.

    An array or table of two axes has them on the first, and so has an `xgboost.DMatrix`. One of
    one axis, or a list, may be a row as well as a column.
    """
    xgboost = sys.modules.get("xgboost")
    if xgboost is not None and isinstance(data, xgboost.DMatrix):
        return int(data.num_row())
    shape = getattr(data, "shape", None)
    if isinstance(shape, tuple) and len(shape) == 2 and isinstance(shape[0], int):
        return shape[0]
    return 0


def check_predicts(model: object) -> None:
    """Refuse a model that `predict` cannot be asked of.

    Raises
    ------
    UserError
        It has no method `predict`.
    """
    if not callable(getattr(model, "predict", None)):
        raise UserError(
            f"model_fn returned a {_named(model)}, which has no method predict; add a "
            "predict_fn(data, model) to the inference code"
        )


def predict(_context: Context, data: Any, model: Any) -> Any:  # noqa: ANN401 - the user's
    """Ask the model: `model.predict(data)`."""
    if is_booster(model):
        return model.predict(_as_dmatrix(data), validate_features=False)
    return model.predict(data)


def as_predictions(prediction: object) -> Predictions:
    """Return a prediction as named columns.

    Parameters
    ----------
    prediction
        An array or list of n values or rows, or a mapping of columns by name.

    Raises
    ------
    TypeError
        The prediction is nothing that can be written.
    """
    if not isinstance(prediction, Mapping):
        return Predictions({SCORE: _column(prediction)})
    columns = {str(name): _column(values) for name, values in prediction.items()}
    counts = {name: len(column) for name, column in columns.items()}
    if len(set(counts.values())) != 1:
        raise TypeError(f"predict_fn returned columns of unlike lengths, {counts}")
    return Predictions(columns, selected=True)


def _column(values: object) -> Any:  # noqa: ANN401 - an array or a list
    array = np.atleast_1d(np.asarray(values))
    if array.ndim > 2:
        raise TypeError(
            f"predict_fn returned an array of shape {array.shape}; return (n,) or (n, k)"
        )
    if array.dtype.kind in "fiub":
        return np.ascontiguousarray(array)
    if array.dtype.kind == "U":
        return array.tolist()
    raise TypeError(
        f"predict_fn returned a {_named(values)}, which is no array of numbers or texts; return "
        "one, or a mapping of such columns, or add an output_fn(prediction, accept)"
    )


def _as_dmatrix(data: Any) -> Any:  # noqa: ANN401 - XGBoost's
    import xgboost  # noqa: PLC0415 - a model of the user's own brought it

    return data if isinstance(data, xgboost.DMatrix) else xgboost.DMatrix(data)


def _named(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
