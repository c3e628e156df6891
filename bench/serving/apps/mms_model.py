"""The functions a user of sagemaker-inference writes: load a booster, predict an array."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import xgboost
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler


class Handler(DefaultInferenceHandler):
    """A booster; bodies and answers go through sagemaker-inference's own decoders and encoders."""

    def default_model_fn(self, _folder: str, _context: object = None) -> xgboost.Booster:
        """Load the booster."""
        return xgboost.Booster({"nthread": 1}, model_file=os.environ["BENCH_BOOSTER"])

    def default_predict_fn(
        self,
        rows: Any,  # noqa: ANN401 - what a decoder made
        model: xgboost.Booster,
        _context: object = None,
    ) -> np.ndarray:
        """Predict; one row of CSV comes as a flat array."""
        return model.inplace_predict(np.atleast_2d(rows).astype(np.float32))
