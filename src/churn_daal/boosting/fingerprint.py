"""What makes a model, in a form that two runs can compare: hyperparameters and data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xgboost

from churn_daal.boosting.peers import Alone, Peers

# They change how fast and how loud, not what is learned; num_round may grow and is left out.
_NOT_LEARNED = frozenset({"nthread", "verbosity"})
_QUANTISED = (xgboost.QuantileDMatrix, xgboost.ExtMemQuantileDMatrix)
_OF_EACH_HOST = {
    "train": "the train data is",
    "validation": "the validation data is",
    "data": "the input files are",
}
_ROW_VALUES = ("label", "weight", "base_margin", "label_lower_bound", "label_upper_bound")


def fingerprint(
    params: Mapping[str, Any],
    more: Mapping[str, Any],
    matrices: tuple[xgboost.DMatrix, xgboost.DMatrix],
    *,
    data: str = "",
    earlier: bytes | None = None,
    peers: Peers | None = None,
) -> dict[str, Any]:
    """Return what makes the model of a run, as JSON can hold it.

    Parameters
    ----------
    params
        XGBoost's parameters.
    more
        Hyperparameters beside them, which decide when training ends.
    matrices
        What is learned from and what is scored on.
    data
        A digest of the input files, or any text that changes with them.
    earlier
        The model training goes on from.
    peers
        The hosts that train together, each of which has to call this and gets the same; None for
        this one alone. What is said of the data is then a list, in the order of the hosts.
    """
    peers = peers or Alone()
    learned = {name: value for name, value in params.items() if name not in _NOT_LEARNED}
    found: dict[str, Any] = {
        "hyperparameters": learned | dict(more),
        "earlier": None if earlier is None else hashlib.sha256(earlier).hexdigest(),
    }
    own = {
        "train": _digest(matrices[0]),
        "validation": _digest(matrices[1], cells=not isinstance(matrices[0], _QUANTISED)),
        "data": data,
    }
    every = peers.gather(own)
    found |= own if peers.size == 1 else {name: [each[name] for each in every] for name in own}
    # As the file gives it back: tuples become lists.
    return dict(json.loads(json.dumps(found)))


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between two fingerprints, in words."""
    before, now = theirs.get("hyperparameters", {}), ours["hyperparameters"]
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield f"{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"
    hosts = _hosts(theirs), _hosts(ours)
    if hosts[0] != hosts[1]:
        yield f"it is of {hosts[0]} host(s), and the job has {hosts[1]}"
    else:
        for name, what in _OF_EACH_HOST.items():
            if theirs.get(name) != ours[name]:
                yield f"{what} not the same{_where(theirs.get(name), ours[name])}"
    if theirs.get("earlier") != ours["earlier"]:
        yield "the earlier model is not the same"


def _hosts(found: Mapping[str, Any]) -> int:
    train = found.get("train")
    return len(train) if isinstance(train, list) else 1


def _where(theirs: object, ours: object) -> str:
    """Say on which hosts of several a value differs."""
    if not (isinstance(theirs, list) and isinstance(ours, list)):
        return ""
    pairs = enumerate(zip(theirs, ours, strict=False), 1)
    numbers = [str(number) for number, (before, now) in pairs if before != now]
    return f" on host(s) {', '.join(numbers[:10])} of {len(ours)}"


def _shown(value: object) -> str:
    return "not set" if value is None else repr(value)[:60]


def _digest(matrix: xgboost.DMatrix, *, cells: bool = True) -> str:
    """Hash what a matrix keeps of its rows; of a quantised one, the cuts of its columns.

    Without `cells`, what goes with each row alone: beside quantised rows the memory at hand decides
    whether the validation rows are, too, and their cuts would be those of the others.
    """
    digest = hashlib.sha256()
    digest.update(repr((matrix.num_row(), matrix.num_col(), matrix.num_nonmissing())).encode())
    for name in _ROW_VALUES:
        values = matrix.get_base_margin() if name == "base_margin" else matrix.get_float_info(name)
        _add(digest, name, values)
    _add(digest, "group", matrix.get_uint_info("group_ptr"))
    if not cells:
        return digest.hexdigest()
    if isinstance(matrix, _QUANTISED):
        for values in matrix.get_quantile_cut():
            _add(digest, "cuts", values)
    else:
        held = matrix.get_data()
        for values in (held.indptr, held.indices, held.data):
            _add(digest, "cells", values)
    return digest.hexdigest()


def _add(digest: Any, name: str, values: Any) -> None:  # noqa: ANN401 - a hash and an array
    digest.update(name.encode())
    digest.update(np.ascontiguousarray(values))
