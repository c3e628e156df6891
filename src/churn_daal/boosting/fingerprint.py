"""What makes a model, in a form that two runs can compare: hyperparameters and data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xgboost

# They change how fast and how loud, not what is learned; num_round may grow and is left out.
_NOT_LEARNED = frozenset({"nthread", "verbosity"})
_QUANTISED = (xgboost.QuantileDMatrix, xgboost.ExtMemQuantileDMatrix)
_ROW_VALUES = ("label", "weight", "base_margin", "label_lower_bound", "label_upper_bound")


def fingerprint(
    params: Mapping[str, Any],
    more: Mapping[str, Any],
    matrices: tuple[xgboost.DMatrix, xgboost.DMatrix],
    *,
    data: str = "",
    earlier: bytes | None = None,
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
    """
    learned = {name: value for name, value in params.items() if name not in _NOT_LEARNED}
    found = {
        "hyperparameters": learned | dict(more),
        "train": _digest(matrices[0]),
        "validation": _digest(matrices[1], cells=not isinstance(matrices[0], _QUANTISED)),
        "data": data,
        "earlier": None if earlier is None else hashlib.sha256(earlier).hexdigest(),
    }
    # As the file gives it back: tuples become lists.
    return dict(json.loads(json.dumps(found)))


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs between two fingerprints, in words."""
    before, now = theirs.get("hyperparameters", {}), ours["hyperparameters"]
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            yield f"{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"
    for channel in ("train", "validation"):
        if theirs.get(channel) != ours[channel]:
            yield f"the {channel} data is not the same"
    if theirs.get("data") != ours["data"]:
        yield "the input files are not the same"
    if theirs.get("earlier") != ours["earlier"]:
        yield "the earlier model is not the same"


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
