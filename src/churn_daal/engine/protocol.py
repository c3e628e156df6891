"""What every engine offers, and the one check of a matrix before it reaches native code."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.objectives import Objective
from churn_daal.errors import ChurnDaalError

Matrix = NDArray[np.float32]
DIMENSIONS = 2
Extra = Literal["margin", "contributions", "leaf"]


class UnansweredError(ChurnDaalError):
    """A model of this kind has no such answer, whichever engine is asked."""


class Engine(Protocol):
    """A loaded model. Every method may be called from many threads at once."""

    @property
    def name(self) -> str:
        """`onedal` or `xgboost`."""

    @property
    def objective(self) -> Objective:
        """What the margins mean."""

    @property
    def n_features(self) -> int:
        """Columns a matrix must have."""

    @property
    def n_classes(self) -> int:
        """K of a `multi:*` model; 0 for every other."""

    @property
    def rows_alike(self) -> int:
        """Up to how many rows together are answered as each is alone, to the bit."""

    @property
    def extras(self) -> frozenset[Extra]:
        """Which methods beside `predict` this engine has an answer to."""

    def predict(self, X: Matrix) -> Matrix:
        """Answer rows.

        Parameters
        ----------
        X
            float32 `(n, n_features)`; NaN is a missing value. n may be 0.

        Returns
        -------
        float32 `(n,)`, or `(n, K)` class probabilities for `multi:*`. A native model with
        several targets answers `(n, targets)`.

        Raises
        ------
        ValueError
            X is not float32 or not of the model's width.
        """

    def margin(self, X: Matrix) -> Matrix:
        """Return the scores before the link, float32 `(n,)`, or `(n, outputs)` where several.

        Raises
        ------
        ValueError
            X is not float32 or not of the model's width, or `margin` is not in `extras`.
        """

    def contributions(self, X: Matrix) -> Matrix:
        """Return what each column adds to the margin (SHAP values), and the base they add to.

        Returns
        -------
        float32 `(n, n_features + 1)`, or `(n, outputs, n_features + 1)` where several; the base
        comes last, and each row adds up to its margin.

        Raises
        ------
        ValueError
            X is not float32 or not of the model's width, or not in `extras`.
        UnansweredError
            XGBoost itself has none of this model.
        """

    def leaf(self, X: Matrix) -> NDArray[np.int32]:
        """Return the index of the leaf each row ends in, int32 `(n, trees)`; `(0, 0)` for no rows.

        Raises
        ------
        ValueError
            X is not float32 or not of the model's width, or not in `extras`.
        UnansweredError
            The model has no trees.
        """


def check_matrix(X: Matrix, n_features: int) -> None:
    """Refuse a matrix an engine would read wrongly or not at all.

    Raises
    ------
    ValueError
        The dtype, the number of dimensions or the width differ from the model's.
    """
    if X.dtype != np.float32:
        raise ValueError(f"the matrix is {X.dtype}, the engine expects float32")
    if X.ndim != DIMENSIONS or X.shape[1] != n_features:
        raise ValueError(f"the matrix has shape {X.shape}, the engine expects (n, {n_features})")
