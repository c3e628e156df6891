"""What stands in for the functions that the user's inference code does not have."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from churn_daal import artifact
from churn_daal.artifact import foreign
from churn_daal.errors import ArtifactError, UserError
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.invocation import decoded, format_of
from churn_daal.serving.options import read_options
from churn_daal.serving.outputs import plan
from churn_daal.serving.predictions import SCORE, Predictions, predictions, usual
from churn_daal.serving.request import Request
from churn_daal.tabular.encoder import Encoder, Matrix


def is_booster(model: object) -> bool:
    """Tell whether the user's model is XGBoost's own, without loading XGBoost to ask."""
    xgboost = sys.modules.get("xgboost")
    return xgboost is not None and isinstance(model, xgboost.Booster)


def encoder_for(model: object, model_dir: Path) -> Encoder:
    """Return what decodes requests for a model.

    That is its own encoder, or one from the folder's manifest, or from the booster: the model
    itself, or the folder's.

    Raises
    ------
    UserError
        None of these is there.
    """
    if isinstance(model, artifact.Model):
        return model.encoder
    try:
        if foreign.is_foreign(model_dir) and is_booster(model):
            return Encoder(foreign.describe(model).schema)  # type: ignore[arg-type]
        return Encoder(artifact.audit(model_dir).schema)
    except ArtifactError as error:
        raise UserError(
            f"model_fn returned a {_named(model)}, and nothing tells its columns ({error}); add "
            "an input_fn(body, content_type) to the inference code"
        ) from error


def read_input(request: Request, encoder: Encoder, *, for_booster: bool) -> Any:  # noqa: ANN401
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
    blocks = list(decoded(read, request, declared, encoder)) if len(request.body) else []
    if not blocks:
        return None
    matrix = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return _as_dmatrix(matrix) if for_booster else matrix


def answer(
    model: artifact.Model,
    request: Request,
    data: Any,  # noqa: ANN401 - the user's
    accept: str,
    outputs: tuple[str, ...],
) -> bytes:
    """Answer as without the user's code, but for the rows, which may be of its `input_fn`.

    Raises
    ------
    RequestError
        As `ModelService.answer`.
    """
    planned = plan(model.manifest, read_options(request.query, request.attributes), outputs)
    X: Matrix = np.ascontiguousarray(np.atleast_2d(np.asarray(data, dtype=np.float32)))
    return ENCODERS[accept]([predictions(model, planned, X)])


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


def predict(data: Any, model: Any) -> Any:  # noqa: ANN401 - the user's
    """Ask the model: `model.predict(data)`."""
    if is_booster(model):
        return model.predict(_as_dmatrix(data), validate_features=False)
    return model.predict(data)


def write_output(prediction: object, accept: str, model: object, *, ours: bool) -> bytes:
    """Encode a prediction.

    Parameters
    ----------
    prediction
        An array or list of n values or rows, or a mapping of columns by name.
    accept
        A type of `ENCODERS`.
    model
        What predicted.
    ours
        Whether it is this toolkit's model and its own answer, which is then given as ever.

    Raises
    ------
    TypeError
        The prediction is nothing that can be written.
    """
    return ENCODERS[accept](_blocks(prediction, model, ours=ours))


def _blocks(prediction: object, model: object, *, ours: bool) -> Iterator[Predictions]:
    if isinstance(prediction, Predictions):
        yield prediction
    elif ours and isinstance(model, artifact.Model):
        response: Matrix = np.asarray(prediction, dtype=np.float32)
        yield usual(model.manifest, response)
    elif isinstance(prediction, Mapping):
        columns = {str(name): _column(values) for name, values in prediction.items()}
        counts = {name: len(column) for name, column in columns.items()}
        if len(set(counts.values())) != 1:
            raise TypeError(f"predict_fn returned columns of unlike lengths, {counts}")
        yield Predictions(columns, selected=True)
    else:
        yield Predictions({SCORE: _column(prediction)})


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
