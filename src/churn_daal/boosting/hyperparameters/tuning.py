"""The metric a tuning job optimises, which SageMaker names in a hyperparameter of its own."""

from __future__ import annotations

from collections.abc import Mapping

from churn_daal.boosting.hyperparameters.rules import TUNING

_OURS, _THEIRS = "validation", "train"


def tuning_metric(reserved: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the metric to compute for a tuning job and a note, None where there is none.

    A tuning job's metric definitions may have any name, since a regular expression finds the
    figure in the log; `validation:<metric>` is the name AWS's image gives and asks for.

    Parameters
    ----------
    reserved
        SageMaker's own hyperparameters, as `contract.job` gives them.

    Raises
    ------
    ValueError
        The name has no metric, or is one of the rows the model was fitted to.
    """
    text = reserved.get(TUNING)
    if text is None:
        return None, None
    rows, _, rest = text.strip().partition(":")
    # AWS's image reads a third part, how often the metric is printed, and makes nothing of it.
    metric = rest.partition(":")[0].strip()
    expected = f"{_OURS}:<metric>, such as {_OURS}:{metric or 'auc'}"
    if rows == _OURS and metric:
        return metric, None
    if rows == _THEIRS:
        raise ValueError(
            f"{TUNING!r} is {text!r}, a score of rows the model was fitted to; expected {expected}."
        )
    if rows in {_OURS, ""}:
        raise ValueError(f"{TUNING!r} is {text!r}, which names no metric; expected {expected}.")
    return None, (
        f"{TUNING} {text!r} is not {_OURS}:<metric>, so nothing is added to eval_metric; the "
        "tuning job's own regular expression has to find it in the log"
    )
