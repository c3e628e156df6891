"""XGBoost's faults in one line, told apart: the user's input, or this program."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xgboost.core import XGBoostError

from churn_daal.errors import AlgorithmError, UserError

log = logging.getLogger(__name__)

# "[16:02:17] /workspace/src/objective/regression_obj.cu:85: " before, a stack trace after.
_SOURCE = re.compile(r"^\[\d\d:\d\d:\d\d\] (?:WARNING: )?(\S+?):\d+:\s*")
_CHECK = re.compile(r"^Check failed: (?P<condition>.*?): ?(?P<reason>.*)$")
# Parameters of the library, refused by itself: "value -1 for Parameter max_depth should be ...".
_PARAMETER = re.compile(r"for Parameter |Invalid Parameter|Unknown (metric|objective)|constraint")
# Where the library checks labels, weights, cells, metrics and what goes with what.
_INPUT_SOURCES = re.compile(
    r"/src/(objective|metric|data)/|/common/(ranking_utils|\w+_loss_utils)\.h"
    r"|/learner\.cc|/split_evaluator\.h|/updater_colmaker\.cc|/gbm/"
)
_REMEDIES = {
    "/objective/": "Check the labels against the objective.",
    "/metric/": "Check eval_metric against the labels and the objective.",
    "/ranking_utils": "Check eval_metric against the labels.",
    "/data/": "Check the values, labels and weights.",
}


def reason(message: str) -> str:
    """Return XGBoost's own reason in one line, without its source file and stack trace."""
    line = message.strip().partition("\nStack trace")[0].strip()
    line = _SOURCE.sub("", line)
    checked = _CHECK.match(line.splitlines()[0]) if line else None
    if checked is not None:
        line = checked["reason"] or f"check failed: {checked['condition']}"
    return " ".join(line.split("\n")[0].split())


def is_input_fault(message: str) -> bool:
    """Whether XGBoost blames what it was given, by the place in it that raised."""
    return bool(_PARAMETER.search(message) or _INPUT_SOURCES.search(_source(message)))


@contextmanager
def translated() -> Iterator[None]:
    """Turn XGBoost's errors into this package's and its warnings into log lines.

    Raises
    ------
    UserError
        XGBoost refused a label, a weight, a cell or a combination of hyperparameters.
    AlgorithmError
        XGBoost failed at anything else.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = _once_in_the_log()
        try:
            yield
        except XGBoostError as error:
            text = str(error)
            kind = UserError if is_input_fault(text) else AlgorithmError
            raise kind(f"XGBoost: {reason(text).rstrip('.')}.{_remedy(text)}") from error


def _source(message: str) -> str:
    source = _SOURCE.match(message)
    return source[1] if source else ""


def _remedy(message: str) -> str:
    where = _source(message)
    return next((f" {remedy}" for place, remedy in _REMEDIES.items() if place in where), "")


def _once_in_the_log() -> Callable[..., None]:
    """Return a way to show warnings that says each once: XGBoost repeats some every round."""
    seen: set[str] = set()

    def show(message: Warning | str, *_place: object, **_more: object) -> None:
        line = " ".join(_SOURCE.sub("", str(message).strip()).split())
        if line not in seen:
            seen.add(line)
            log.warning("XGBoost: %s", line)

    return show
