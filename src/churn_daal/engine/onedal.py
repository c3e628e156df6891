"""oneDAL models behind the engine protocol, and their bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.extension import extension, run_version
from churn_daal.engine.objectives import Objective, objective_named
from churn_daal.engine.protocol import Engine, Extra, Matrix, check_matrix
from churn_daal.engine.stored import Header, OtherVersionError, pack, unpack
from churn_daal.errors import ArtifactError

# oneDAL predicts whole blocks of so many rows several times as fast as the rows beyond them, which
# it takes one by one. From about 28 of those on, rows of nothing that fill a block cost less.
_BLOCK: Final = 80
_WORTH_A_BLOCK: Final = 28
# daal4py carries no types.
NativeModel: TypeAlias = Any
NativeAlgorithm: TypeAlias = Any


class _Loaded:
    """What the two kinds of model share; `_model` is oneDAL's own object."""

    name = "onedal"
    extras: frozenset[Extra] = frozenset()
    # In float32 a block's trees are added up in another order than a single row's.
    rows_alike = _WORTH_A_BLOCK - 1

    def __init__(
        self,
        model: NativeModel,
        objective: Objective,
        n_classes: int,
        algorithm: Callable[[], NativeAlgorithm],
    ) -> None:
        self._model = model
        self._algorithm = algorithm
        self._kept = threading.local()
        self.objective = objective
        self.n_classes = n_classes
        self.n_features = int(model.NumberOfFeatures)
        self.n_trees = int(model.NumberOfTrees)

    def to_bytes(self) -> bytes:
        """Return what `load_onedal` reads."""
        header = Header(
            kind="classification" if self.n_classes else "regression",
            n_features=self.n_features,
            n_classes=self.n_classes,
            n_trees=self.n_trees,
            onedal=run_version(),
        )
        return pack(header, self._model.__getstate__())

    def _compute(self, X: Matrix, result: str) -> Matrix:
        """Return a result of oneDAL's for 1 or more rows, in memory of its own."""
        # One algorithm over all calls would keep its result table: it would write into answers
        # already handed out, and refuse another number of rows. So each call has its own, but
        # for one row: to keep that a thread's, and copy the row, takes 3 us off 10.
        if len(X) > 1:
            table: Matrix = getattr(self._algorithm().compute(_filled(X), self._model), result)
            return table[: len(X)]
        try:
            algorithm = self._kept.algorithm
        except AttributeError:
            algorithm = self._kept.algorithm = self._algorithm()
        row: Matrix = getattr(algorithm.compute(X, self._model), result).copy()
        return row

    def contributions(self, X: Matrix) -> Matrix:
        """Refuse, but for single-output models."""
        raise self._none(X, "contributions")

    def leaf(self, X: Matrix) -> NDArray[np.int32]:
        """Refuse: oneDAL does not tell leaves."""
        raise self._none(X, "leaves")

    def _none(self, X: Matrix, what: str) -> ValueError:
        return ValueError(
            f"oneDAL has no {what} of a {self.objective.name} model for {len(X)} rows; "
            "XGBoost itself has"
        )


def _filled(X: Matrix) -> Matrix:
    """Return rows, and behind them zeros that fill their last block where that pays."""
    beyond = len(X) % _BLOCK
    if beyond < _WORTH_A_BLOCK:
        return X
    filled = np.zeros((len(X) + _BLOCK - beyond, X.shape[1]), dtype=np.float32)
    filled[: len(X)] = X
    return filled


class MarginEngine(_Loaded):
    """A single-output model whose trees add up to the margin."""

    extras: frozenset[Extra] = frozenset({"margin", "contributions"})

    def __init__(self, model: NativeModel, objective: Objective) -> None:
        self._regression = extension().gbt_regression_prediction
        super().__init__(model, objective, 0, partial(self._regression, fptype="float"))

    def margin(self, X: Matrix) -> Matrix:
        """Return the raw scores, float32 `(n,)`."""
        check_matrix(X, self.n_features)
        if not X.shape[0]:
            return np.empty(0, dtype=np.float32)
        return self._compute(X, "prediction").ravel()

    def contributions(self, X: Matrix) -> Matrix:
        """Return SHAP values and their base, float32 `(n, n_features + 1)`.

        Whether they are XGBoost's is for the gate to say (`engine/attribution.py`).
        """
        check_matrix(X, self.n_features)
        if not X.shape[0]:
            return np.empty((0, self.n_features + 1), dtype=np.float32)
        # In float32 many deep trees add up to five times XGBoost's own error.
        algorithm = self._regression(fptype="double", resultsToCompute="shapContributions")
        values = algorithm.compute(X, self._model).prediction
        rounded: Matrix = values.reshape(len(X), self.n_features + 1).astype(np.float32)
        return rounded

    def predict(self, X: Matrix) -> Matrix:
        """Answer rows, float32 `(n,)`."""
        return self.objective.respond(self.margin(X))


class ClassifierEngine(_Loaded):
    """A `multi:*` model of more than two classes."""

    def __init__(self, model: NativeModel, objective: Objective, n_classes: int) -> None:
        algorithm = partial(
            extension().gbt_classification_prediction,
            nClasses=n_classes,
            fptype="float",
            resultsToEvaluate="computeClassProbabilities",
        )
        super().__init__(model, objective, n_classes, algorithm)

    def margin(self, X: Matrix) -> Matrix:
        """Refuse: oneDAL's classifier tells probabilities only."""
        raise self._none(X, "margins")

    def predict(self, X: Matrix) -> Matrix:
        """Answer class probabilities, float32 `(n, K)`."""
        check_matrix(X, self.n_features)
        if not X.shape[0]:
            return np.empty((0, self.n_classes), dtype=np.float32)
        return self._compute(X, "probabilities")


@dataclass(frozen=True)
class _Expected:
    n_features: int
    n_classes: int


def load_onedal(
    data: bytes, *, objective: Objective | str, n_features: int, n_classes: int
) -> Engine:
    """Construct an engine from what `to_bytes` gave.

    Parameters
    ----------
    data
        The framed bytes.
    objective
        The objective, or XGBoost's name of it.
    n_features
        Columns the schema has.
    n_classes
        K of a `multi:*` model. For every other objective the number is not looked at, as a
        binary model has two classes and one output.

    Raises
    ------
    OtherVersionError
        The bytes were written by another oneDAL release.
    ArtifactError
        The bytes are damaged, or of a model of other widths or another kind.
    UserError
        The objective is unknown.
    """
    if isinstance(objective, str):
        objective = objective_named(objective)
    header, state = unpack(data)
    multiclass = objective.link == "softmax"
    expected = _Expected(n_features, n_classes if multiclass else 0)
    found = _Expected(header.n_features, header.n_classes)
    if found != expected:
        raise ArtifactError(
            f"the oneDAL model has {_widths(found)}, the manifest says {_widths(expected)} for "
            f"{objective.name}. The model folder mixes files of two jobs; unpack it afresh."
        )
    other = _other_version(header)
    if other is not None:
        raise OtherVersionError(other)
    model = getattr(extension(), f"gbt_{header.kind}_model")()
    model.__setstate__(state)
    engine = (
        ClassifierEngine(model, objective, n_classes)
        if multiclass
        else MarginEngine(model, objective)
    )
    if (engine.n_features, engine.n_trees) != (header.n_features, header.n_trees):
        raise ArtifactError(
            f"the oneDAL model has {engine.n_features} features and {engine.n_trees} trees, its "
            f"header says {header.n_features} and {header.n_trees}. Convert the booster again."
        )
    return engine


def outdated(data: bytes) -> str | None:
    """Return why the framed bytes have to be made again: another release's. None if they need not.

    Raises
    ------
    ArtifactError
        The bytes are damaged.
    """
    return _other_version(unpack(data)[0])


def _other_version(header: Header) -> str | None:
    if header.onedal == run_version():
        return None
    return (
        f"the oneDAL model was written by oneDAL {header.onedal}, this is {run_version()}. "
        "Convert the booster again."
    )


def _widths(expected: _Expected) -> str:
    return f"{expected.n_features} features and {expected.n_classes} classes"
