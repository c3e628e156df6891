"""A `Service` that answers by the user's functions, and by ours where there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from churn_daal.artifact import Model
from churn_daal.errors import DecodeError, SchemaError
from churn_daal.serving import media
from churn_daal.serving.encoders import ENCODERS
from churn_daal.serving.hooks import defaults
from churn_daal.serving.hooks.bodies import given, kind_of, sent
from churn_daal.serving.hooks.context import Context
from churn_daal.serving.hooks.functions import failure, load_functions
from churn_daal.serving.hooks.program import Program
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.reading import OFFERED, Reader, refusal
from churn_daal.serving.request import Answer, Request
from churn_daal.serving.trace import Trace

# Those that a request calls.
_ON_REQUEST: Final = frozenset({"transform_fn", "input_fn", "predict_fn", "output_fn"})
# In the log, of a model that the code has loaded.
_OWN_ENGINE: Final = "own"


class HookService:
    """Answers by inference code of the user's own.

    The code answers one request at a time: sagemaker-inference, for which it is written, has one
    in each process. Code for the start alone leaves requests to `ModelService`.

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

    Attributes
    ----------
    manifest
        Of this toolkit's model; None where the code loads another.
    """

    def __init__(
        self,
        program: Program,
        model_dir: Path,
        load_model: Callable[[], Model],
        outputs: tuple[str, ...] = (),
    ) -> None:
        self._program, self._model_dir = program, model_dir
        self._hooks = load_functions(program)
        self._lock = threading.Lock()
        self._start("pre_model_fn", str(model_dir))
        if "model_fn" in self._hooks:
            self._model = self._start("model_fn", str(model_dir))
        else:
            self._model = load_model()
        self._start("model_warmup_fn", str(model_dir), self._model)
        ours = self._model if isinstance(self._model, Model) else None
        self._ours = None if ours is None else ModelService(ours, outputs)
        self.manifest = None if ours is None else ours.manifest
        self._reader: Reader | None = None
        if not {"transform_fn", "input_fn"} & self._hooks.keys():
            self._reader = defaults.reader_for(self._model, model_dir)
        if not {"transform_fn", "predict_fn"} & self._hooks.keys():
            defaults.check_predicts(self._model)

    @property
    def quick(self) -> bool:
        """Whether a few rows take no time to speak of: where requests call none of the code."""
        return self._ours is not None and not _ON_REQUEST & self._hooks.keys()

    def ready(self) -> bool:
        """Tell whether the model is loaded and, where it is this toolkit's, answers."""
        return self._ours is None or self._ours.ready()

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
        if self._ours is not None and not _ON_REQUEST & self._hooks.keys():
            return self._ours.answer(request)
        context = Context(self._model_dir, request)
        content_type = media.parse(request.content_type or "text/csv").name
        accept = self._accept(request, content_type)
        manifest = self.manifest
        request.trace.engine = _OWN_ENGINE if manifest is None else manifest.engine.name
        try:
            with self._lock:
                result = self._result(request, content_type, accept, context)
        except (DecodeError, SchemaError) as error:
            # The code asked our encoder, or raised one of its own accord.
            raise refusal(kind_of(content_type), error) from error
        except SystemExit as error:
            raise RuntimeError(f"the inference code called sys.exit({error.code!r})") from error
        if result is None:
            return Answer(204)
        body, written = result
        return Answer(
            context.status, body, context.content_type or written, context.response_headers
        )

    def together(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer several small invocations in one go where they call none of the code."""
        if self._ours is None or not self.quick:
            return [None] * len(requests)
        return self._ours.together(requests)

    def _result(
        self, request: Request, content_type: str, accept: str, context: Context
    ) -> tuple[bytes | memoryview, str] | None:
        trace = request.trace
        whole = self._hooks.get("transform_fn")
        if whole is not None:
            call = partial(whole, context, self._model, given(request, content_type), content_type)
            return sent("transform_fn", trace.predicting(call, accept), accept)
        read = self._hooks.get("input_fn")
        if read is not None:
            call = partial(read, context, given(request, content_type))
            data = trace.reading(call, content_type)
            trace.rows = defaults.rows_of(data)
        elif self._reader is not None:
            booster = defaults.is_booster(self._model)
            data = defaults.read_input(request, self._reader, for_booster=booster)
            if data is None:
                return None
        if self._ours is not None and not {"predict_fn", "output_fn"} & self._hooks.keys():
            X = defaults.as_rows(data)
            trace.rows = len(X)
            planned = self._ours.plan_of(request)
            return self._ours.answered(iter([X]), planned, accept, trace), media.declared(accept)
        return self._written(data, accept, context, trace)

    def _written(
        self,
        data: Any,  # noqa: ANN401 - the user's
        accept: str,
        context: Context,
        trace: Trace,
    ) -> tuple[bytes, str]:
        """Predict and write, where one of the two or the model is the code's own."""
        predict = self._hooks.get("predict_fn") or defaults.predict
        prediction = trace.predicting(partial(predict, context, data), self._model)
        write = self._hooks.get("output_fn")
        if write is not None:
            trace.rows = trace.rows or defaults.rows_of(prediction)
            made = trace.encoding(partial(write, context, prediction), accept)
            return sent("output_fn", made, accept)
        if isinstance(prediction, bytes | bytearray | str):
            return sent("predict_fn", prediction, accept)
        block = defaults.as_predictions(prediction)
        trace.rows = trace.rows or len(block)
        return trace.encoding(ENCODERS[accept], [block]), media.declared(accept)

    def _accept(self, request: Request, content_type: str) -> str:
        """Return the one type the answer is asked for in."""
        offered = OFFERED.get(content_type, tuple(ENCODERS))
        if {"transform_fn", "output_fn"} & self._hooks.keys():
            # What the code can write only the code knows.
            return media.preferred(request.accept, offered)
        return media.choose(request.accept, offered)

    def _start(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - the user's model
        hook = self._hooks.get(name)
        if hook is None:
            return None
        try:
            return hook(Context(self._model_dir), *arguments)
        except (Exception, SystemExit) as error:
            raise failure(self._program, f"{name} of {self._program.path}", error) from error
