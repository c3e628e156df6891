"""From rows to the matrices XGBoost reads: quantised as the rows come by, where that can be."""

from __future__ import annotations

import logging
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.sparse
import xgboost
from numpy.typing import NDArray
from xgboost import collective

from churn_daal.boosting.dataset import Dataset
from churn_daal.errors import UserError

log = logging.getLogger(__name__)
# The others read the raw values, which a quantised matrix does not hold.
QUANTISED_METHODS = ("auto", "hist")
_WIDE_BINS: Final = 256
# Gradients, predictions and a row's place in the tree.
_ROW_BYTES: Final = 40
# A raw matrix holds a column and a value for each cell, made from an array of float32.
_RAW_CELL: Final = 12


def matrices(
    train: Dataset, validation: Dataset, params: Mapping[str, Any], *, budget: int | None = None
) -> tuple[xgboost.DMatrix, xgboost.DMatrix]:
    """Return what XGBoost reads the two from: quantised where the tree method allows it.

    The validation rows are only scored, which XGBoost does on raw values as fast and to the same
    scores, so that they are not quantised where memory allows. On several hosts they are: what
    memory one has must not decide which of XGBoost's exchanges it takes part in.

    Parameters
    ----------
    train, validation
        The rows.
    params
        XGBoost's parameters: `nthread`, and the booster, tree method and bins where given.
    budget
        Bytes of memory for both; a larger quantised matrix is cut into pages on the local disk
        (XGBoost's external memory). None for no limit.

    Raises
    ------
    UserError
        A ranking query carries different weights in its rows, or there are not as many base
        margins as answers.
    """
    if not str(params.get("objective")).startswith("rank:"):
        # Of any other objective XGBoost takes the queries for something else, such as AUC's.
        train, validation = replace(train, group=None), replace(validation, group=None)
    for data in (train, validation):
        _refuse_uneven_weights(data)
        _refuse_margins(data, params)
    nthread = params["nthread"]
    # Trees that are there already are refreshed on the raw values alone.
    raw = params.get("booster") == "gblinear" or params.get("process_type") == "update"
    if raw or params.get("tree_method", "auto") not in QUANTISED_METHODS:
        return _raw(train, nthread), _raw(validation, nthread)
    bins = params.get("max_bin", _WIDE_BINS)
    # XGBoost's hist holds each bin twice: by row and by column.
    cell = 2 if bins <= _WIDE_BINS else 4
    size = (len(train) + len(validation)) * (train.width * cell + _ROW_BYTES)
    outside = budget is not None and size > budget
    if outside:
        log.info("the quantised matrix, %d MB, is over the memory budget: on disk", size >> 20)
    common = {"max_bin": bins, "nthread": nthread, "missing": np.nan}
    make = _on_disk if outside else xgboost.QuantileDMatrix
    rows = make(_Pieces(train), **common)
    raw_size = size + len(validation) * validation.width * (_RAW_CELL - cell)
    if collective.get_world_size() == 1 and (budget is None or raw_size <= budget):
        return _named(rows, train), _raw(validation, nthread)
    held = make(_Pieces(validation), ref=rows, **common)
    return _named(rows, train), _named(held, validation)


def _on_disk(pieces: _Pieces, **common: Any) -> xgboost.DMatrix:  # noqa: ANN401
    folder = tempfile.TemporaryDirectory(prefix="churn-daal-")
    pieces.cache_prefix = str(Path(folder.name) / "pages")
    matrix = xgboost.ExtMemQuantileDMatrix(pieces, **common)
    # The pages are read until the last round, long after the iterator is gone.
    weakref.finalize(matrix, folder.cleanup)
    return matrix


class _Pieces(xgboost.DataIter):
    """A dataset as XGBoost iterates over it, several times for one matrix."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._pieces: Iterator[tuple[Any, slice]] = iter(())
        self._vectors = _vectors(data)
        super().__init__(release_data=True)

    def reset(self) -> None:
        """Start over."""
        self._pieces = self._data.batches()
        if not len(self._data):
            # XGBoost wants one piece, if an empty one.
            self._pieces = iter([(np.empty((0, self._data.width), np.float32), slice(0, 0))])

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Hand over the next piece; return whether there was one."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        rows, place = piece
        input_data(data=rows, **{name: values[place] for name, values in self._vectors.items()})
        return True


def _raw(data: Dataset, nthread: int) -> xgboost.DMatrix:
    rows = _all_rows(data)
    return _named(xgboost.DMatrix(rows, missing=np.nan, nthread=nthread, **_vectors(data)), data)


def _all_rows(data: Dataset) -> Any:  # noqa: ANN401 - an array or a CSR matrix
    """Return the rows in one piece, sparse where they are: dense they may be a thousand times."""
    first = next(data.batches(), None)
    if first is None or not scipy.sparse.issparse(first[0]):
        return data.X
    pieces = [piece for piece, _ in data.batches()]
    if not all(map(scipy.sparse.issparse, pieces)):
        return data.X
    return scipy.sparse.vstack(pieces, "csr")


def _vectors(data: Dataset) -> dict[str, NDArray[Any]]:
    """Return what goes with each row, by XGBoost's names."""
    named = {
        "label": data.y,
        "weight": data.weight if data.group is None else None,
        "label_lower_bound": data.lower,
        "label_upper_bound": data.upper,
        "base_margin": data.base_margin,
    }
    return {name: values for name, values in named.items() if values is not None}


def _named(matrix: xgboost.DMatrix, data: Dataset) -> xgboost.DMatrix:
    """Give a matrix its queries, and take from it the names that Arrow's columns brought."""
    matrix.feature_names, matrix.feature_types = None, None
    if data.group is not None:
        # Not piece by piece: XGBoost would take a query that lies in two pieces for two.
        first = np.flatnonzero(np.r_[True, data.group[1:] != data.group[:-1]])
        matrix.set_group(np.diff(np.r_[first, len(data)]))
        if data.weight is not None:
            matrix.set_weight(data.weight[first])
    return matrix


def _refuse_margins(data: Dataset, params: Mapping[str, Any]) -> None:
    """Refuse base margins of another number of columns than a row has answers.

    Raises
    ------
    UserError
        Naming both numbers.
    """
    # Several quantiles or expectiles are several answers, too.
    if data.base_margin is None or {"quantile_alpha", "expectile_alpha"} & params.keys():
        return
    columns = 1 if data.base_margin.ndim == 1 else data.base_margin.shape[1]
    answers = params.get("num_class", 1)
    if columns != answers:
        raise UserError(
            f"base_margin is {columns} column(s), but objective {params.get('objective')!r} has "
            f"{answers} margin(s) a row; name one column for each class, in the order of the "
            "classes, or a single one where there are no classes"
        )


def _refuse_uneven_weights(data: Dataset) -> None:
    """Refuse weights that differ within a ranking query: XGBoost weighs queries, not rows.

    Raises
    ------
    UserError
        Naming the query.
    """
    if data.weight is None or data.group is None:
        return
    same = data.group[1:] == data.group[:-1]
    uneven = same & (data.weight[1:] != data.weight[:-1])
    if uneven.any():
        query = data.group[int(np.argmax(uneven))]
        raise UserError(
            f"the rows of query {query} have different weights; in ranking a weight belongs to "
            "the query: give all its rows the same"
        )
