"""Answers beside the usual one: from the engine at work where it has them, else from XGBoost.

oneDAL has neither margins nor contributions of classes, and no leaves. The stored booster has all
of them, and is loaded when a request first needs it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from churn_daal.engine.native import XGBoostEngine
from churn_daal.engine.protocol import Engine, Extra, Matrix, UnansweredError


class Explainer:
    """Margins, contributions and leaves. Every method may be called from many threads at once.

    Parameters
    ----------
    engine
        The engine at work.
    load
        Loads the same model in XGBoost itself, once at most; None where there is no such model.
    contributions
        Whether the engine's own contributions were found to be XGBoost's. If not, XGBoost's are
        answered.
    """

    def __init__(
        self, engine: Engine, load: Callable[[], XGBoostEngine] | None, *, contributions: bool
    ) -> None:
        self._engine = engine
        self._load = load
        self._own = (
            engine.extras
            if contributions or engine.name == "xgboost"
            else engine.extras - {"contributions"}
        )
        self._native: XGBoostEngine | None = None
        self._loading = threading.Lock()

    def margin(self, X: Matrix) -> Matrix:
        """Return the scores before the link, float32 `(n,)` or `(n, outputs)`.

        Raises
        ------
        UnansweredError
            There is no XGBoost model to ask; so for the other two.
        """
        return self._answering("margin").margin(X)

    def contributions(self, X: Matrix) -> Matrix:
        """Return SHAP values and their base, float32 `(n, [outputs,] n_features + 1)`.

        Raises
        ------
        UnansweredError
            XGBoost has none of this model.
        """
        return self._answering("contributions").contributions(X)

    def leaf(self, X: Matrix) -> NDArray[np.int32]:
        """Return the index of the leaf each row ends in, int32 `(n, trees)`.

        Raises
        ------
        UnansweredError
            The model has no trees.
        """
        return self._answering("leaf").leaf(X)

    def _answering(self, extra: Extra) -> Engine:
        if extra in self._own:
            return self._engine
        with self._loading:
            if self._native is None:
                if self._load is None:
                    raise UnansweredError(
                        f"several models answer together, and their mean has no {extra}; leave one "
                        "model in the folder, or set SAGEMAKER_INFERENCE_ENSEMBLE=false"
                    )
                self._native = self._load()
            return self._native
