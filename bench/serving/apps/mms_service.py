"""What multi-model-server is given: it takes the one class it finds in this module."""

from __future__ import annotations

import mms_model
from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.transformer import Transformer


class HandlerService(DefaultHandlerService):
    """sagemaker-inference's handler around a user's functions."""

    def __init__(self) -> None:
        super().__init__(transformer=Transformer(default_inference_handler=mms_model.Handler()))
