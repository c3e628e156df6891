"""A `Service` that answers by the user's functions, and by ours where there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from churn_daal.artifact import Model
from churn_daal.errors import (
    DecodeError,
    RequestError,
    SchemaError,
    UndecodableBodyError,
)
from churn_daal.serving import media
from churn_daal.serving.decoders import FORMATS
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.hooks import defaults
from churn_daal.serving.hooks.context import Context
from churn_daal.serving.hooks.functions import failure, load_functions
from churn_daal.serving.hooks.program import Program
from churn_daal.serving.request import Answer, Request

# As sagemaker-inference hands them over; every other body comes as bytes.
_AS_TEXT = ("text/csv", "application/json")


class HookService:
    """Answers by inference code of the user's own.

    One request at a time is answered: sagemaker-inference, for which such code is written, has
    one in each process.

    Parameters
    ----------
    program
        The code.
    model_dir
        The model's folder.
    load_model
        Loads this toolkit's model, where the code has no `model_fn`.
    outputs
        Names of what is answered where a request names nothing, as for `ModelService`; heeded
        where the model, the prediction and the answer are all this toolkit's.

    Raises
    ------
    UserError
        The code cannot be imported, or fails while it loads the model.
    ArtifactError
        This toolkit's model cannot be loaded.
    """

    def __init__(
        self,
        program: Program,
        model_dir: Path,
        load_model: Callable[[], Model],
        outputs: tuple[str, ...] = (),
    ) -> None:
        self._program, self._model_dir, self._outputs = program, model_dir, outputs
        self._hooks = load_functions(program)
        self._lock = threading.Lock()
        self._start("pre_model_fn", str(model_dir))
        if "model_fn" in self._hooks:
            self._model = self._start("model_fn", str(model_dir))
        else:
            self._model = load_model()
        self._start("model_warmup_fn", str(model_dir), self._model)
        self._encoder = None
        if not {"transform_fn", "input_fn"} & self._hooks.keys():
            self._encoder = defaults.encoder_for(self._model, model_dir)
        if not {"transform_fn", "predict_fn"} & self._hooks.keys():
            defaults.check_predicts(self._model)

    @property
    def quick(self) -> bool:
        """Whether a few rows take no time to speak of: nobody knows of the user's code."""
        return False

    def ready(self) -> bool:
        """Tell whether the model is loaded and, where it is this toolkit's, answers."""
        return not isinstance(self._model, Model) or self._model.answers()

    def answer(self, request: Request) -> Answer:
        """Answer an invocation.

        Returns
        -------
        200, or what the code says by its context; 204 for a body without rows that is decoded
        by this toolkit.

        Raises
        ------
        RequestError
            As `ModelService.answer`, or raised by the code.
        TypeError
            A function returned nothing that can be sent.
        Exception
            Whatever else the code raises.
        """
        context = Context(self._model_dir, request)
        content_type = media.parse(request.content_type or "text/csv").name
        accept = self._accept(request, content_type)
        try:
            with self._lock:
                result = self._result(request, content_type, accept, context)
        except DecodeError as error:
            raise UndecodableBodyError(f"Loading data failed: {error}") from error
        except SchemaError as error:
            raise RequestError(f"Loading data failed: {error}") from error
        except SystemExit as error:
            raise RuntimeError(f"the inference code called sys.exit({error.code!r})") from error
        if result is None:
            return Answer(204)
        body, written = result
        return Answer(
            context.status, body, context.content_type or written, context.response_headers
        )

    def _result(
        self, request: Request, content_type: str, accept: str, context: Context
    ) -> tuple[bytes, str] | None:
        whole = self._hooks.get("transform_fn")
        if whole is not None:
            body = _body(request, content_type)
            made = whole(context, self._model, body, content_type, accept)
            return _sent("transform_fn", made, accept)
        read = self._hooks.get("input_fn")
        if read is not None:
            data = read(context, _body(request, content_type), content_type)
        elif self._encoder is not None:
            booster = defaults.is_booster(self._model)
            data = defaults.read_input(request, self._encoder, for_booster=booster)
            if data is None:
                return None
        if isinstance(self._model, Model) and not {"predict_fn", "output_fn"} & self._hooks.keys():
            body = defaults.answer(self._model, request, data, accept, self._outputs)
            return body, _declared(accept)
        own = self._hooks.get("predict_fn")
        prediction = (
            defaults.predict(data, self._model) if own is None else own(context, data, self._model)
        )
        write = self._hooks.get("output_fn")
        if write is not None:
            return _sent("output_fn", write(context, prediction, accept), accept)
        if isinstance(prediction, bytes | bytearray | str):
            return _sent("predict_fn", prediction, accept)
        body = defaults.write_output(prediction, accept, self._model, ours=own is None)
        return body, _declared(accept)

    def _accept(self, request: Request, content_type: str) -> str:
        """Return the one type the answer is asked for in."""
        first = FORMATS[content_type].answer if content_type in FORMATS else content_type
        offered = tuple(sorted(ENCODERS, key=lambda name: name != first))
        if {"transform_fn", "output_fn"} & self._hooks.keys():
            # What the code can write only the code knows.
            return media.preferred(request.accept) or offered[0]
        return media.choose(request.accept, offered)

    def _start(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - the user's model
        hook = self._hooks.get(name)
        if hook is None:
            return None
        try:
            return hook(Context(self._model_dir), *arguments)
        except (Exception, SystemExit) as error:
            raise failure(self._program, f"{name} of {self._program.path}", error) from error


def _body(request: Request, content_type: str) -> str | bytes:
    body = bytes(request.body)
    if content_type not in _AS_TEXT:
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise UndecodableBodyError(
            f"Loading {content_type} data failed: byte 0x{body[error.start]:02x} at "
            f"{error.start + 1} is not UTF-8 text; send the body as UTF-8"
        ) from None


def _sent(name: str, made: object, accept: str) -> tuple[bytes, str]:
    """Take what a function returned: a body, or a body and its type."""
    written = _declared(accept)
    if isinstance(made, tuple) and len(made) == 2:
        made, said = made
        written = str(said) if said else written
    if isinstance(made, str):
        return made.encode(), written
    if isinstance(made, bytes | bytearray | memoryview):
        return bytes(made), written
    raise TypeError(
        f"{name} returned a {type(made).__name__}; expected bytes, str or (body, content type)"
    )


def _declared(accept: str) -> str:
    return f"{accept}; charset=utf-8" if accept == "text/csv" else accept
