"""Engines behind one call: an array of rows in, an array of answers out.

Each is set to one thread. What an engine makes of a booster before it can serve it is made once,
by `python engines.py NAME BOOSTER MADE`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]


def xgboost_engine(booster: str, _made: str) -> Predict:
    """XGBoost on the array as it is."""
    import xgboost

    model = xgboost.Booster({"nthread": 1}, model_file=booster)
    return model.inplace_predict


def xgboost_matrix_engine(booster: str, _made: str) -> Predict:
    """XGBoost by way of a DMatrix, as AWS's container calls it."""
    import xgboost

    model = xgboost.Booster({"nthread": 1}, model_file=booster)
    return lambda rows: model.predict(xgboost.DMatrix(rows, nthread=1), validate_features=False)


def onnx_engine(_booster: str, made: str) -> Predict:
    """ONNX Runtime on the converted booster."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(made, options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[-1]
    binary = len(session.get_outputs()) > 1 and output.shape[-1] == 2

    def predict(rows: np.ndarray) -> np.ndarray:
        [answers] = session.run([output.name], {name: rows})
        if binary:
            return answers[:, 1]
        return answers.ravel() if answers.shape[1] == 1 else answers

    return predict


def treelite_engine(booster: str, _made: str) -> Predict:
    """Treelite's own interpreter of trees, GTIL."""
    import treelite

    model = treelite.frontend.load_xgboost_model(booster, format_choice="ubjson")

    def predict(rows: np.ndarray) -> np.ndarray:
        answers = treelite.gtil.predict(model, rows, nthread=1)[:, 0, :]
        return answers.ravel() if answers.shape[1] == 1 else answers

    return predict


def onedal_engine(_booster: str, made: str) -> Predict:
    """OneDAL as this project's `serve` loads it, from a model folder."""
    from churn_daal import artifact

    return artifact.load(made, threads=1).predict


ENGINES: dict[str, Callable[[str, str], Predict]] = {
    "onedal": onedal_engine,
    "xgboost": xgboost_engine,
    "xgboost-dmatrix": xgboost_matrix_engine,
    "onnx": onnx_engine,
    "treelite": treelite_engine,
}


def prepare(engine: str, booster: str, made: str) -> None:
    """Write what an engine reads in place of a booster; for most that is the booster itself."""
    if engine != "onnx" or Path(made).exists():
        return
    import xgboost
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = xgboost.Booster(model_file=booster)
    model.feature_names = None
    width = model.num_features()
    converted = convert_xgboost(model, initial_types=[("rows", FloatTensorType([None, width]))])
    Path(made).write_bytes(converted.SerializeToString())


if __name__ == "__main__":
    prepare(*sys.argv[1:4])
