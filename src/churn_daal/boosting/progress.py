"""A run that can go on: its model and how far it came, sealed into one file of XGBoost's.

The file is a model in UBJ, which XGBoost itself loads. What else a run needs to go on lies in
the model's attributes, so that one rename puts all of it in place. The seal is a SHA-256 of the
rest of the file: a file that was cut short or changed is refused before XGBoost reads it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import xgboost

STATE = "churn_daal.state"
SEAL = "churn_daal.seal"
FORMAT = 1
_UNSEALED = b"0" * 64
# UBJ writes a text as S, the type and the bytes of its length, and the characters.
_SEALED = re.compile(re.escape(SEAL).encode() + rb"S[iUIlL].{1,8}?([0-9a-f]{64})", re.DOTALL)

History = dict[str, dict[str, list[float]]]


class UnusableError(Exception):
    """These bytes are not a run that can go on; the message says why."""


@dataclass(frozen=True)
class Progress:
    """How far a run came.

    Attributes
    ----------
    rounds
        Rounds done in this job.
    earlier_rounds
        Rounds of the model the job started from, which come before them.
    history
        Scores by data set and metric, one a round of this job.
    best_model
        The model of the best round in UBJ, where the last model's trees do not hold it.
    fingerprint
        What makes the model: hyperparameters and data.
    version
        XGBoost's, which made the model.
    """

    rounds: int
    earlier_rounds: int = 0
    history: History = field(default_factory=dict)
    best_model: bytes | None = None
    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    version: str = xgboost.__version__


def freeze(booster: xgboost.Booster, progress: Progress) -> bytes:
    """Return the run as bytes; the booster is left as it was."""
    best = progress.best_model
    state = {
        "format": FORMAT,
        "rounds": progress.rounds,
        "earlier_rounds": progress.earlier_rounds,
        "history": progress.history,
        "best_model": None if best is None else base64.b64encode(best).decode(),
        "fingerprint": dict(progress.fingerprint),
        "xgboost": progress.version,
    }
    booster.set_attr(**{STATE: json.dumps(state), SEAL: _UNSEALED.decode()})
    try:
        data = bytearray(booster.save_raw("ubj"))
    finally:
        booster.set_attr(**{STATE: None, SEAL: None})
    start, end = _seal(data)
    data[start:end] = hashlib.sha256(data).hexdigest().encode()
    return bytes(data)


def thaw(data: bytes) -> tuple[xgboost.Booster, Progress]:
    """Return the booster and how far it came; without parameters, which are not in the file.

    Raises
    ------
    UnusableError
        The bytes are cut short, changed or another program's.
    """
    progress = read_progress(data)
    booster = xgboost.Booster(model_file=bytearray(data))
    booster.set_attr(**{STATE: None, SEAL: None})
    return booster, progress


def read_progress(data: bytes) -> Progress:
    """Check the seal and return how far the run came, without building its trees.

    Raises
    ------
    UnusableError
        The bytes are cut short, changed or another program's.
    """
    open_ = bytearray(data)
    start, end = _seal(open_)
    sealed = bytes(open_[start:end])
    open_[start:end] = _UNSEALED
    if hashlib.sha256(open_).hexdigest().encode() != sealed:
        raise UnusableError("it is half-written or damaged")
    state = _state(data)
    if state.get("format") != FORMAT:
        raise UnusableError(f"it is of format {state.get('format')!r}, this release reads {FORMAT}")
    best = state["best_model"]
    return Progress(
        rounds=state["rounds"],
        earlier_rounds=state["earlier_rounds"],
        history=state["history"],
        best_model=None if best is None else base64.b64decode(best),
        fingerprint=state["fingerprint"],
        version=state["xgboost"],
    )


def _seal(data: bytearray) -> tuple[int, int]:
    found = _SEALED.search(data)
    if found is None:
        raise UnusableError("it is half-written or another program's")
    return found.span(1)


def _state(data: bytes) -> dict[str, Any]:
    # Read from the bytes, since building a large model only to look at its round is slow.
    key = STATE.encode() + b"S"
    at = data.find(key) + len(key)
    kind, at = data[at : at + 1], at + 1
    size = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8}.get(kind, 0)
    length = int.from_bytes(data[at : at + size], "big")
    try:
        state = json.loads(data[at + size : at + size + length])
    except (ValueError, binascii.Error):
        state = None
    if not isinstance(state, dict):
        raise UnusableError("it is another program's")
    return state
