"""Script mode: the user's own program takes the place of the built-in training.

This module is what `train` loads to learn which of the two a job asks for, so it is light; the
toolkit that script mode hands over to is loaded by `job` alone, for a job that asks for it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from churn_daal.contract.config_files import plain_text, read_object
from churn_daal.contract.failure import describe, write_failure
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import ChurnDaalError, UserError
from churn_daal.settings import base_dir

log = logging.getLogger(__name__)
PROGRAM = "sagemaker_program"


def user_program(paths: SageMakerPaths | None = None) -> str | None:
    """Return the program that the hyperparameter `sagemaker_program` names; None without one.

    A hyperparameters file that cannot be read counts as naming none: the built-in training
    refuses it with its reason.

    Parameters
    ----------
    paths
        The job's files; by default those the environment says.
    """
    try:
        entries = read_object((paths or SageMakerPaths(base_dir())).hyperparameters) or {}
    except UserError:
        return None
    value = entries.get(PROGRAM)
    return plain_text(value).strip() or None if value is not None else None


def main(program: str, early: Sequence[int] = ()) -> int:
    """Run the user's program under `/opt/ml` (or `SAGEMAKER_BASE_DIR`); return its exit code.

    Rules T11 and T12: with any code but 0, the cause is in the failure file.

    Parameters
    ----------
    program
        What `user_program` returned.
    early
        Signals that came before this was called.
    """
    # stdout is the program's own.
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    paths = SageMakerPaths(base_dir())
    try:
        with StopSignal() as stop:
            if early:
                stop.request()
            _make_code_folder(paths)
            from churn_daal.script_mode.job import run  # noqa: PLC0415 - see above

            return run(paths, program, stop)
    except Exception as error:
        if isinstance(error, ChurnDaalError):
            print(describe(error), file=sys.stderr, flush=True)
        else:
            log.exception("the job failed by a fault of this program or a library under it")
        write_failure(paths, error)
        return getattr(error, "exit_code", 1)


def _make_code_folder(paths: SageMakerPaths) -> None:
    # The toolkit makes it when it is loaded, and would end in a traceback.
    folder = paths.base / "code"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder}, where the code of script mode goes, cannot be made: {error.strerror}. Give "
            f"the user who runs the job the right to write to {paths.base}"
        ) from error
