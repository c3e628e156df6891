"""Runs the user's program so that its streams, its signals and its exit code stay its own.

The toolkit's runner passes no signal on. Process 1 of a container is the only one that SageMaker
stops with SIGTERM, so a script under that runner never learns that it has 120 seconds left (T13).
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.script_mode.cause import cause_of

log = logging.getLogger(__name__)
# Enough for a long traceback; the failure file shows 1,024 characters.
KEPT_BYTES = 64 * 2**10
POLL_SECONDS = 0.05
# A process that the script left behind may hold its stderr open.
DRAIN_SECONDS = 2.0


class ScriptError(UserError):
    """The user's program did not end well.

    Attributes
    ----------
    exit_code
        What `train` ends with: the program's own code, or 128 and the signal that ended it.
    """

    def __init__(self, message: str, *, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(message)


@dataclass(frozen=True)
class Script:
    """A program to run.

    Attributes
    ----------
    name
        As the job names it, for messages.
    command
        The argument vector.
    folder
        Where it runs.
    is_shell
        Whether a shell stands between: SIGTERM then goes to every process under it, and the
        run lasts until the last of them ends, since a shell itself passes nothing on.
    """

    name: str
    command: Sequence[str]
    folder: Path
    is_shell: bool


def run_script(script: Script, stop: StopSignal) -> None:
    """Run a program to its end, in this process's environment.

    SIGTERM and SIGINT to this process become one SIGTERM to the program.

    Raises
    ------
    ScriptError
        The program's exit code is not 0. The message says why, as far as its stderr tells.
    """
    # A process group of its own: Ctrl-C at a terminal would otherwise reach the program twice.
    with subprocess.Popen(  # noqa: S603 - running the user's program is what is asked for
        list(script.command),
        cwd=script.folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        try:
            tail = bytearray()
            reader = threading.Thread(target=_copy, args=(process.stderr, tail), daemon=True)
            reader.start()
            stopped = _wait(process, script, stop)
            reader.join(DRAIN_SECONDS)
        finally:
            # Of a second Ctrl-C: nothing is left running behind.
            if process.poll() is None:
                process.kill()
    if process.returncode:
        raise _failure(script, process.returncode, bytes(tail), stopped=stopped)


def _wait(process: subprocess.Popen[bytes], script: Script, stop: StopSignal) -> bool:
    stopped = False
    while process.poll() is None or (script.is_shell and _group_lives(process.pid)):
        if stop.requested and not stopped:
            stopped = True
            log.warning("asked to stop: SIGTERM goes on to %s", script.name)
            with suppress(ProcessLookupError):
                if script.is_shell:
                    os.killpg(process.pid, signal.SIGTERM)
                else:
                    process.terminate()
        time.sleep(POLL_SECONDS)
    return stopped


def _group_lives(group: int) -> bool:
    # Process 1 inherits orphans; a dead one counts as alive until it is waited for.
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _copy(source: IO[bytes] | None, tail: bytearray) -> None:
    """Pass stderr on as it comes, and keep its end."""
    if source is None:
        return
    with suppress(ValueError, OSError):  # closed while a process left behind still writes
        while chunk := os.read(source.fileno(), 65_536):
            sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()
            tail += chunk
            del tail[:-KEPT_BYTES]


def _failure(script: Script, code: int, tail: bytes, *, stopped: bool) -> ScriptError:
    name = script.name
    if code > 0:
        why = cause_of(tail.decode("utf-8", "replace"))
        return ScriptError(f"{name} ended with exit code {code}: {why}", exit_code=code)
    number = -code
    text = signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"
    if stopped and number == signal.SIGTERM:
        why = "the job was stopped, and it has no handler for SIGTERM that saves what it has"
        if script.is_shell:
            why += "; let a shell script start its last program by exec"
    elif number == signal.SIGKILL:
        why = "most likely the container ran out of memory; take a larger instance or less data"
    else:
        why = cause_of(tail.decode("utf-8", "replace"))
    return ScriptError(f"{name} was ended by {text}: {why}", exit_code=128 + number)
