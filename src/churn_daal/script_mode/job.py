"""One job in script mode: AWS's training toolkit prepares it, the user's program does it.

Of the toolkit are the rules for where code comes from, what is installed, the `SM_*` variables, the
arguments and what a program's name means. Not of it are its module `entry_point`, whose import
brings MPI runners with programs that are not in this image, and its process runner (see `script`).
"""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sagemaker_training import _entry_point_type as entry_point
from sagemaker_training import environment, errors, process

from churn_daal.contract.config_files import plain_text, read_object
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError
from churn_daal.script_mode.requirements import install_requirements
from churn_daal.script_mode.script import Script, ScriptError, run_script
from churn_daal.script_mode.source import check_program, fetch_code

log = logging.getLogger(__name__)
ONE_HOST = {"current_host": "algo-1", "hosts": ["algo-1"]}
# How long the toolkit waits for the names of the other machines.
NAMES_SECONDS = 15 * 60
STOPPED = 128 + 15
# It tells of each value that is no JSON and each kind of accelerator that is not there.
logging.getLogger("sagemaker-training-toolkit").setLevel(logging.WARNING)


def run(paths: SageMakerPaths, program: str, stop: StopSignal) -> int:
    """Fetch the code, install what it asks for, run it; return 0.

    Raises
    ------
    UserError
        The code, its requirements or the job's files are at fault.
    ScriptError
        The program did not end well.
    """
    if Path(environment.base_dir) != paths.base or not paths.base.is_absolute():
        raise UserError(
            f"SAGEMAKER_BASE_DIR is {environment.base_dir!r}; script mode needs a full path there, "
            "or no such variable"
        )
    try:
        process.validate_entry_point(program)
    except errors.ClientError as error:
        raise UserError(str(error)) from error
    job = _environment(paths)
    reserved = {
        name: plain_text(value)
        for name, value in (read_object(paths.hyperparameters) or {}).items()
        if value is not None
    }
    folder = fetch_code(paths, reserved)
    check_program(program, folder)
    if not stop.requested:
        install_requirements(paths, folder, program)
    _wait_for_names(job.hosts, stop)
    if stop.requested:
        raise ScriptError(f"the job was stopped before {program} started", exit_code=STOPPED)
    run_script(_script(program, folder, job), stop)
    paths.output.mkdir(parents=True, exist_ok=True)
    (paths.output / "success").touch()
    return 0


def _environment(paths: SageMakerPaths) -> environment.Environment:
    """Describe the job to the toolkit; in a local run the files may be absent, as elsewhere."""
    channels = read_object(paths.input_data_config)
    if channels is None and paths.input_data.is_dir():
        folders = [path.name for path in paths.input_data.iterdir() if path.is_dir()]
        channels = {name: {"TrainingInputMode": "File"} for name in sorted(folders)}
    try:
        return environment.Environment(
            resource_config=read_object(paths.resource_config) or ONE_HOST,
            input_data_config=channels,
        )
    except KeyError as error:
        raise UserError(f"{paths.resource_config}: {error} is missing") from error
    except FileNotFoundError as error:
        raise UserError(
            f"{error.filename} is missing; SageMaker writes it for every job. For a local run "
            "{} will do as its content"
        ) from error


def _wait_for_names(hosts: Sequence[str], stop: StopSignal) -> None:
    """Wait until every machine of a job of several can be found by its name."""
    end = time.monotonic() + NAMES_SECONDS
    for host in hosts if len(hosts) > 1 else ():
        while not stop.requested:
            try:
                socket.gethostbyname(host)
                break
            except OSError as error:
                if time.monotonic() > end:
                    raise UserError(
                        f"host {host!r} of the job cannot be found ({error}) after "
                        f"{NAMES_SECONDS} s; its machine did not come up"
                    ) from error
            time.sleep(1)


def _script(program: str, folder: Path, job: environment.Environment) -> Script:
    variables = job.to_env_vars()
    runner = process.ProcessRunner(program, job.to_cmd_args(), variables, 1)
    command = runner._create_command()  # noqa: SLF001 - the toolkit's rule of what a name means
    is_shell = entry_point.get(str(folder), program) is entry_point.COMMAND
    if is_shell:
        (folder / program).chmod(0o755)
        # One shell fewer between the signal and the program.
        command = [*command[:-1], f"exec {command[-1]}"]
    # The variables carry this process's search path to the program's.
    sys.path.insert(0, str(folder))
    environment.write_env_vars(variables)
    log.info("script mode: %s", " ".join(command))
    return Script(program, command, folder, is_shell)
