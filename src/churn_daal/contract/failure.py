"""The failure file, from which SageMaker takes the reason it shows for a failed job (T11)."""

from __future__ import annotations

import logging
from contextlib import suppress

from churn_daal.contract.paths import SageMakerPaths
from churn_daal.errors import ChurnDaalError, DataError, UserError

log = logging.getLogger(__name__)

# SageMaker shows this many characters. Counting bytes keeps both readings of the rule.
MAX_BYTES = 1_024


def describe(error: BaseException) -> str:
    """Return an error as one text with its cause first.

    The text starts with `UserError:` where the job's data or settings are at fault and with
    `AlgorithmError:` where this program is, the two words AWS's images put in their logs.
    """
    text = str(error).strip()
    if isinstance(error, UserError | DataError):
        return f"UserError: {text or type(error).__name__}"
    if isinstance(error, ChurnDaalError):
        return f"AlgorithmError: {text or type(error).__name__}"
    name = type(error).__name__
    return f"AlgorithmError: {name}: {text}" if text else f"AlgorithmError: {name}"


def write_failure(paths: SageMakerPaths, error: BaseException) -> None:
    """Write why the job failed, at most 1,024 characters and 1,024 bytes of it.

    A failure that is already written stays: it is nearer to the cause. Nothing is raised from
    here, as that would take the place of the error itself; a folder that cannot be written to
    gives a log line.

    Parameters
    ----------
    paths
        Where the job's files lie; the folder of the failure file is made if it is missing.
    error
        What ended the job.
    """
    try:
        # "replace", since a file name may carry bytes that are no text.
        text = describe(error).encode("utf-8", "replace")[:MAX_BYTES]
        paths.failure.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), paths.failure.open("xb") as file:
            # Cut on a character, not inside one.
            file.write(text.decode("utf-8", "ignore").encode("utf-8"))
    except Exception as fault:
        log.warning("the failure file %s could not be written: %s", paths.failure, fault)
