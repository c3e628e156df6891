"""Train XGBoost on Amazon SageMaker, serve it from Intel's oneDAL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churn_daal.artifact import load
    from churn_daal.errors import RequestError
    from churn_daal.saving import save

__version__ = "0.1.0"
__all__ = ["RequestError", "__version__", "load", "save"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under the name
    # On first use, since it loads xgboost and scikit-learn, and the server needs neither.
    if name == "save":
        from churn_daal.saving import save  # noqa: PLC0415

        return save
    if name == "load":
        from churn_daal.artifact import load  # noqa: PLC0415

        return load
    if name == "RequestError":
        from churn_daal.errors import RequestError  # noqa: PLC0415

        return RequestError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
