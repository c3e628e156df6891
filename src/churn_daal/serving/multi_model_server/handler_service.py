"""What multi-model-server starts in each of its worker processes, by this module's name."""

from __future__ import annotations

import logging
from typing import Any

from sagemaker_inference.default_handler_service import DefaultHandlerService

from churn_daal.errors import ChurnDaalError
from churn_daal.serving.multi_model_server.transformer import ServiceTransformer

log = logging.getLogger(__name__)


# multi-model-server takes the one class it finds in the module that is named to it.
class HandlerService(DefaultHandlerService):  # type: ignore[misc]
    """sagemaker-inference's handler, with this package's way from a request to an answer."""

    def __init__(self) -> None:
        super().__init__(transformer=ServiceTransformer())

    def initialize(self, context: Any) -> None:  # noqa: ANN401 - multi-model-server's has no type
        """Load the model, or end this worker process.

        Raises
        ------
        SystemExit
            The model cannot be loaded. multi-model-server would log any other error, and tell the
            platform that the model is loaded.
        """
        try:
            super().initialize(context)
        except (ChurnDaalError, OSError, MemoryError) as error:
            log.error("%s", error)  # noqa: TRY400 - the message says it all
            raise SystemExit(1) from error
