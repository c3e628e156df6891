"""Answers beside what was expected of them: what differs, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# The toolkit's promise (docs/design.md); a probability moves by less than its margin.
TOLERANCE: Final = 1e-5
_SHOWN: Final = 10


@dataclass(frozen=True)
class Comparison:
    """What came of comparing answers.

    Attributes
    ----------
    differences
        A line each; none where all is as expected.
    largest
        The largest difference of a number from what was expected.
    """

    differences: Sequence[str]
    largest: float

    def report(self) -> str:
        """Return the differences as lines, the first of them where there are many."""
        more = len(self.differences) - _SHOWN
        shown = list(self.differences[:_SHOWN])
        return "\n".join(shown + ([f"  ... and {more} more"] if more > 0 else []))


def compare(
    expected: Sequence[Mapping[str, Any]],
    answered: Any,  # noqa: ANN401 - whatever an endpoint sends
    *,
    lines: Sequence[int],
    threshold: float | None = None,
    tolerance: float = TOLERANCE,
) -> Comparison:
    """Compare an endpoint's records with those expected.

    Parameters
    ----------
    expected
        A record a row; `score` and, of classifiers, `predicted_label`.
    answered
        The value of `predictions`.
    lines
        Where each row stands in its file.
    threshold
        Of a binary classifier. Of a score within the tolerance of it, both labels are right.
    tolerance
        Largest difference of a score, absolute below 1 and relative above.
    """
    if not isinstance(answered, list) or len(answered) != len(expected):
        count = len(answered) if isinstance(answered, list) else repr(answered)[:80]
        return Comparison([f"  {len(expected)} rows were sent, answered were {count}"], 0.0)
    found: list[str] = []
    largest = 0.0
    for line, wanted, came in zip(lines, expected, answered, strict=True):
        record = came if isinstance(came, dict) else {}
        for name, value in wanted.items():
            told = record.get(name)
            apart = _apart(value, told)
            if name == "score":
                largest = max(largest, apart if apart != float("inf") else 0.0)
                same = apart <= tolerance * max(1.0, _size(value))
            else:
                close = threshold is not None and abs(_size(wanted["score"]) - threshold)
                undecided = close is not False and close <= tolerance
                same = str(told) == str(value) or undecided
            if not same:
                found += _difference(line, name, value, told)
    return Comparison(found, largest)


def _difference(line: int, name: str, wanted: object, came: object) -> Iterator[str]:
    yield f"  line {line}, {name}: expected {wanted!r}, answered {came!r}"


def _apart(wanted: object, came: object) -> float:
    """Return the distance of two scores; infinity where they are not of one kind."""
    if isinstance(wanted, list):
        if not isinstance(came, list) or len(came) != len(wanted):
            return float("inf")
        return max(map(_apart, wanted, came), default=0.0)
    if isinstance(wanted, float):
        number = isinstance(came, int | float) and not isinstance(came, bool)
        return abs(float(came) - wanted) if number else float("inf")  # type: ignore[arg-type]
    return 0.0 if str(wanted) == str(came) else float("inf")


def _size(score: object) -> float:
    if isinstance(score, list):
        return max(map(_size, score), default=0.0)
    return abs(score) if isinstance(score, float) else 0.0
