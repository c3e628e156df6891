"""Whose fault an error is: this host's, or that of another one."""

from __future__ import annotations

from typing import Final

from xgboost.core import XGBoostError

from churn_daal.errors import AlgorithmError, ChurnDaalError, UserError

# How an error begins that every host raises of itself, and none more than another.
EVERYWHERE: Final = "the hosts differ in "


def peer_error(host: str, reason: str) -> ChurnDaalError:
    """Return the error of a host that another one reports.

    Parameters
    ----------
    host
        The host that failed or is lost.
    reason
        Its error as `contract.failure.describe` puts it, or what goes after its name.
    """
    for kind in (UserError, AlgorithmError):
        prefix = f"{kind.__name__}: "
        if reason.startswith(prefix):
            cause = reason.removeprefix(prefix)
            return kind(cause if cause.startswith(EVERYWHERE) else f"host {host!r} failed: {cause}")
    return AlgorithmError(f"host {host!r} {reason}")


def blames_a_peer(error: BaseException) -> bool:
    """Whether an error comes out of XGBoost's collective, where a lost host shows on all."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, XGBoostError) and "/collective/" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
