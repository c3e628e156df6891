"""What multi-model-server starts in each of its worker processes, by this module's name."""

from __future__ import annotations

from sagemaker_inference.default_handler_service import DefaultHandlerService

from churn_daal.serving.multi_model_server.transformer import ServiceTransformer


# multi-model-server takes the one class it finds in the module that is named to it.
class HandlerService(DefaultHandlerService):  # type: ignore[misc]
    """sagemaker-inference's handler, with this package's way from a request to an answer."""

    def __init__(self) -> None:
        super().__init__(transformer=ServiceTransformer())
