"""One invocation on one model, from bytes and headers to bytes and headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from churn_daal.artifact import Manifest, Model
from churn_daal.serving import media
from churn_daal.serving.drift import Ranges
from churn_daal.serving.encoders import CONCATENATED, ENCODERS, SCORE_ALONE
from churn_daal.serving.options import USUAL, read_options
from churn_daal.serving.outputs import Plan, plan
from churn_daal.serving.predictions import Predictions, predictions
from churn_daal.serving.reading import Reader, agreed
from churn_daal.serving.request import Answer, Request
from churn_daal.serving.spool import spooled
from churn_daal.serving.together import Together
from churn_daal.serving.trace import Trace
from churn_daal.tabular.encoder import Matrix


@dataclass(frozen=True)
class ModelService:
    """Answers from a loaded model.

    Attributes
    ----------
    model
        The model.
    outputs
        Names of what is answered where a request names nothing; empty for the usual answer.
    """

    model: Model
    outputs: tuple[str, ...] = ()
    _usual: Plan = field(init=False, repr=False)
    _reader: Reader = field(init=False, repr=False, compare=False)
    _together: Together = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Worked out once: most requests have no wish of their own.
        object.__setattr__(self, "_usual", plan(self.model.manifest, USUAL, self.outputs))
        ranges = Ranges.of(self.model.manifest)
        object.__setattr__(self, "_reader", Reader(self.model.encoder, ranges))
        object.__setattr__(self, "_together", Together(self.model, self._reader, self._usual))

    @property
    def manifest(self) -> Manifest:
        """The model's."""
        return self.model.manifest

    @property
    def quick(self) -> bool:
        """Whether a few rows take no time to speak of: always."""
        return True

    def ready(self) -> bool:
        """Tell whether the model answers a row of missing values with a number."""
        return self.model.answers()

    def answer(self, request: Request) -> Answer:
        """Answer an invocation.

        Without Content-Type a body is CSV, as in AWS's image; without Accept the answer is of the
        type that `FORMATS` has for the body's.

        Returns
        -------
        200 with one answer a row in the order of the rows, or 204 for a body without any.

        Raises
        ------
        UnsupportedMediaTypeError, UndecodableBodyError
            415; the latter's text begins `Loading csv data failed`, as AWS's image has it.
        NotAcceptableError
            406; also for a type that cannot hold the answer.
        RequestError
            400: the body breaks the model's schema, or the request asks for an output that the
            model has not.
        """
        read, declared, wanted = agreed(request)
        planned = self.plan_of(request)
        if not len(request.body):
            return Answer(204)
        trace = request.trace
        trace.engine = self.model.manifest.engine.name
        blocks = self._reader.blocks(read, request, declared)
        first = next(blocks, None)
        if first is None:
            return Answer(204)
        body = self.answered(chain([first], blocks), planned, wanted, trace)
        return Answer(200, body, media.declared(wanted))

    def together(self, requests: Sequence[Request]) -> list[Answer | None]:
        """Answer several small invocations as `answer` does; None for each that it has to be."""
        return self._together.answers(requests)

    def plan_of(self, request: Request) -> Plan:
        """Return what a request is to be answered.

        Raises
        ------
        RequestError
            400: as `answer`.
        """
        options = read_options(request.query, request.attributes)
        if options is USUAL:
            return self._usual
        return plan(self.model.manifest, options, self.outputs)

    def answered(
        self, blocks: Iterator[Matrix], planned: Plan, wanted: str, trace: Trace
    ) -> bytes | memoryview:
        """Return the body that answers encoded rows, float32 (n, width) at a time, some at least.

        Raises
        ------
        NotAcceptableError
            406: the type wanted, one of `ENCODERS`, cannot hold the answer.
        RequestError
            400: the request asks for what XGBoost has not of this model.
        """
        predict = partial(predictions, self.model, planned, labelled=wanted not in SCORE_ALONE)
        first, second = next(blocks), next(blocks, None)
        if second is None:
            # Most requests: they are spared what blocks cost.
            return trace.encoding(ENCODERS[wanted], [trace.predicting(predict, first)])
        answered = map(partial(trace.predicting, predict), chain([first, second], blocks))
        return trace.encoding(partial(_encoded, wanted), answered)


def _encoded(wanted: str, blocks: Iterable[Predictions]) -> bytes | memoryview:
    encode = ENCODERS[wanted]
    if wanted in CONCATENATED:
        return spooled(encode([block]) for block in blocks)
    return encode(blocks)
