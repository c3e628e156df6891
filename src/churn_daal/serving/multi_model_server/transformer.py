"""An invocation as multi-model-server hands it over, answered by the model's `Service`."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from sagemaker_inference.transformer import Transformer

from churn_daal.errors import RequestError
from churn_daal.machine import usable_cores
from churn_daal.serving import media
from churn_daal.serving.body import too_large
from churn_daal.serving.loading import load_service, provide_by
from churn_daal.serving.multi_model_server.in_flight import in_flight
from churn_daal.serving.provision_files import read_provision
from churn_daal.serving.request import Answer, Request, Service, refused
from churn_daal.settings import ServeSettings

log = logging.getLogger(__name__)
ATTRIBUTES: Final = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID: Final = "X-Amzn-SageMaker-Inference-Id"


class ServiceTransformer(Transformer):  # type: ignore[misc]
    """sagemaker-inference's two steps, loading and transforming, by this package's service.

    Its own steps decode a text before anyone has checked it, answer 500 for it, and send
    tracebacks to clients; `code/inference.py` is left to `load_service`, as in the other image.
    """

    def __init__(self) -> None:
        super().__init__()
        self._service: Service | None = None
        self._default_accept, self._limit = "", 0

    def validate_and_initialize(
        self,
        model_dir: str,
        context: Any = None,  # noqa: ANN401, ARG002 - multi-model-server's context has no type
    ) -> None:
        """Load the model of this worker, once.

        Raises
        ------
        ArtifactError
            The model folder is damaged.
        UserError
            The model's objective, or a setting, is unknown to this release.
        """
        if self._service is not None:
            return
        settings = ServeSettings.from_env()
        self._default_accept, self._limit = settings.default_accept, settings.max_content_length
        if settings.multi_model:
            provision = provide_by(settings, Path(model_dir))
        else:
            # The folder of temporary files is the server's own, for whatever it starts.
            provision = read_provision(Path(tempfile.gettempdir()))
        self._service = load_service(
            Path(model_dir),
            threads=usable_cores(),
            workers=1 if settings.multi_model else settings.workers,
            outputs=settings.inference_output,
            provision=provision,
        )

    def transform(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[bytes]:  # noqa: ANN401
        """Answer the requests of a batch, each with its own status and headers.

        Parameters
        ----------
        data
            Of each request the parameters of its URL, and under `body` its bytes.
        context
            multi-model-server's, with the headers of each request; it takes those of the answers.

        Returns
        -------
        The bodies.
        """
        with in_flight():
            self.validate_and_initialize(context.system_properties.get("model_dir"), context)
            return [self._one(parameters, index, context) for index, parameters in enumerate(data)]

    def _one(self, parameters: Mapping[str, Any], index: int, context: Any) -> bytes:  # noqa: ANN401
        properties = context.get_all_request_header(index)
        headers = {
            name.lower(): value for name, value in properties.items() if isinstance(value, str)
        }
        answer = self._answer(_request(parameters, headers, self._default_accept))
        context.set_response_status(answer.status, HTTPStatus(answer.status).phrase, index)
        for name in (ATTRIBUTES, INFERENCE_ID):
            if name.lower() in headers:
                context.set_response_header(index, name, headers[name.lower()])
        for name, value in answer.headers.items():
            context.set_response_header(index, name, value)
        if answer.content_type:
            context.set_response_content_type(index, answer.content_type)
        return bytes(answer.body)

    def _answer(self, request: Request) -> Answer:
        assert self._service is not None  # noqa: S101 - transform() has loaded it
        if len(request.body) > self._limit:
            fault = too_large(self._limit, len(request.body))
            return refused(str(fault), fault.status)
        try:
            return self._service.answer(request)
        except RequestError as error:
            return refused(str(error), error.status)
        except MemoryError:
            return refused("there is not enough memory for this request; send fewer rows", 507)
        except Exception:
            log.exception("an invocation failed")
            text = "the model server failed on this request; its log has the traceback"
            return refused(text, 500)


def _request(
    parameters: Mapping[str, Any], headers: Mapping[str, str], default_accept: str
) -> Request:
    query = {
        name: value if isinstance(value, str) else bytes(value).decode(errors="replace")
        for name, value in parameters.items()
        if name != "body"
    }
    return Request(
        memoryview(parameters.get("body") or b""),
        content_type=headers.get("content-type", ""),
        accept=media.accepted(headers.get("accept", ""), default_accept),
        attributes=headers.get(ATTRIBUTES.lower(), ""),
        query=query,
        headers=headers.items(),
    )
