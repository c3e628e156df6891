"""`serve` of the image with Java: multi-model-server under a process 1 that can stop it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from churn_daal.errors import ArtifactError, UserError
from churn_daal.serving.loading import provide_by
from churn_daal.serving.multi_model_server.configuration import lay
from churn_daal.serving.multi_model_server.in_flight import wait_until_quiet
from churn_daal.serving.provision_files import write_provision
from churn_daal.settings import JavaSettings, ServeSettings, inherited

log = logging.getLogger(__name__)
# SageMaker kills 30 seconds after SIGTERM (rule S5).
GRACE_SECONDS: Final = 25


def main() -> int:
    """Serve until SIGTERM; return the process's exit code.

    A model that cannot be served ends the process at once, with one line that says why. So does
    the end of Java: SageMaker replaces a container that ends, not one that hangs.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    # Removed at the end: a restarted container begins with nothing of the run before.
    with tempfile.TemporaryDirectory(prefix="churn-daal-mms-") as folder:
        try:
            settings = ServeSettings.from_env()
            if not settings.multi_model:
                place = Path(folder)
                write_provision(place, provide_by(settings, settings.model_dir, place))
            command = lay(Path(folder), settings, JavaSettings.from_env())
        except (ArtifactError, UserError) as error:
            print(f"serve: {error}", file=sys.stderr, flush=True)
            return 1
        return Supervisor(command, Path(folder)).run()


class Supervisor:
    """Runs one command until it ends by itself, or is stopped by SIGTERM when it is quiet.

    Parameters
    ----------
    command
        What to run.
    folder
        Where it runs, and where it and what it starts keep temporary files.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command, self._folder = command, folder
        self._stopping = threading.Event()
        self._pid = 0

    def run(self) -> int:
        """Return 0 after SIGTERM, else how the command ended, 1 where it says it ended well."""
        signal.signal(signal.SIGTERM, self._on_sigterm)
        self._pid = subprocess.Popen(  # noqa: S603 - the command is this package's own
            self._command,
            cwd=self._folder,
            env=inherited(TMPDIR=str(self._folder), MMS_DECODE_INPUT_REQUEST="false"),
            start_new_session=True,
        ).pid
        try:
            code = self._wait()
        finally:
            # Its workers do not notice its end.
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        if self._stopping.is_set():
            return 0
        print(f"serve: multi-model-server ended with code {code}", file=sys.stderr, flush=True)
        return code if 0 < code < 256 else 1

    def _wait(self) -> int:
        while True:
            # Process 1 inherits the workers of workers, and has to bury them too.
            pid, status = os.waitpid(-1, 0)
            if pid == self._pid:
                return os.waitstatus_to_exitcode(status)

    def _on_sigterm(self, *_: object) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            threading.Thread(target=self._stop, daemon=True).start()

    def _stop(self) -> None:
        log.info("handling signal: term")
        if not wait_until_quiet(self._folder, GRACE_SECONDS):
            log.warning("requests are still in flight after %d s: they are cut off", GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
