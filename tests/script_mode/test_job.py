"""`train` runs the user's program where the job names one, and ends as the program does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from churn_daal import artifact
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.data import churn_csv
from churn_daal.script_mode import user_program

from .conftest import DOOR, LayScript

EXAMPLE = DOOR.parents[1] / "examples" / "script_mode"
TELL = """\
import json, os, sys
import beside
told = {name: value for name, value in os.environ.items() if name.startswith("SM_")}
print(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd(), "SM": told}))
print("to stderr", file=sys.stderr)
"""


def test_the_example_gives_a_model_that_serve_takes(lay: LayScript) -> None:
    """Own features and own loop, and the gate and the manifest of the image's own training."""
    job = lay({}, num_round=12)
    config = job.base / "input/config/hyperparameters.json"
    config.write_text('{"sagemaker_program": "train.py", "num-round": "12"}')
    shutil.copytree(EXAMPLE, job.code)
    shutil.copy(churn_csv(), job.base / "input/data/train")

    done = job.run()

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [bool(re.match(rf"\[{i}\]\ttrain-logloss:", line)) for i, line in enumerate(lines)] == (
        [True] * 12
    )
    model = artifact.load(job.base / "model", threads=1)
    assert model.manifest.engine.name == "onedal"
    assert model.manifest.metrics["auc"] > 0.9
    assert model.manifest.labels.classes == ("stays", "churns")
    assert "Total Charge" in model.manifest.schema.names
    assert np.isfinite(model.predict(np.ones((2, model.manifest.schema.width), np.float32))).all()


def test_a_program_gets_the_toolkits_variables_and_arguments(lay: LayScript) -> None:
    """Sorted as `--name value`; its streams stay its own; modules beside it are found."""
    job = lay(
        {"train.py": TELL, "beside.py": ""},
        sagemaker_region="eu-west-1",
        depth="3",
        rate='"0.5"',
        words="a b;c",
    )

    done = job.run()

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["arguments"] == ["--depth", "3", "--rate", "0.5", "--words", "a b;c"]
    assert told["cwd"] == str(job.base / "code")
    variables = told["SM"]
    assert variables["SM_MODEL_DIR"] == str(job.base / "model")
    assert variables["SM_CHANNEL_TRAIN"] == str(job.base / "input/data/train")
    assert json.loads(variables["SM_HPS"]) == {"depth": 3, "rate": "0.5", "words": "a b;c"}
    assert json.loads(variables["SM_CHANNELS"]) == ["code", "train"]
    assert "to stderr" in done.stderr
    assert (job.base / "output/success").exists()
    assert not (job.base / "output/failure").exists()


def test_code_comes_as_an_archive_too(lay: LayScript, tmp_path: Path) -> None:
    """As the SDK packs it: in the `code` channel of a job without network, named by its path."""
    job = lay({}, sagemaker_submit_directory="/opt/ml/input/data/code/sourcedir.tar.gz")
    (tmp_path / "train.py").write_text("print('from the archive')")
    job.code.mkdir()
    with tarfile.open(job.code / "sourcedir.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "train.py", "train.py")

    done = job.run()

    assert (done.returncode, done.stdout) == (0, "from the archive\n"), done.stderr


def test_code_the_image_brings_runs_and_says_that_other_code_does_not(lay: LayScript) -> None:
    """The toolkit's rule; in a local run, the leftovers of the one before would run in silence."""
    job = lay({"train.py": "print('sent')"})
    (job.base / "code").mkdir()
    (job.base / "code/train.py").write_text("print('there')")

    done = job.run()

    assert (done.returncode, done.stdout) == (0, "there\n")
    assert "is not empty: what it holds runs, not" in done.stderr


@pytest.mark.parametrize(
    ("text", "code", "cause"),
    [
        ("import sys; sys.exit(3)", 3, "train.py ended with exit code 3: it wrote nothing"),
        ("import sys; sys.exit('no rows')", 1, "train.py ended with exit code 1: no rows"),
        (
            "def fit():\n    raise ValueError('label 7')\n\nfit()",
            1,
            "train.py ended with exit code 1: ValueError: label 7 (",
        ),
        ("raise ValueError('long' * 9999)", 1, "train.py ended with exit code 1: ValueError: long"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            137,
            "train.py was ended by SIGKILL: most likely the container ran out of memory",
        ),
    ],
)
def test_a_programs_end_is_the_jobs(lay: LayScript, text: str, code: int, cause: str) -> None:
    """Its exit code, and its cause as the first thing in the failure file (rule T11)."""
    job = lay({"train.py": text})

    done = job.run()

    assert done.returncode == code
    assert job.failure.startswith(f"UserError: {cause}")
    assert len(job.failure) <= 1024
    assert not (job.base / "output/success").exists()


def test_a_failure_the_program_wrote_itself_stays(lay: LayScript) -> None:
    """It is nearer to the cause."""
    text = "import sys; open('../output/failure', 'w').write('my own words'); sys.exit(1)"
    job = lay({"train.py": text})

    assert job.run().returncode == 1
    assert job.failure == "my own words"


@pytest.mark.parametrize(
    ("files", "program", "hyperparameters", "message"),
    [
        ({"train.py": ""}, "trian.py", {}, "which the code does not hold; did you mean 'train.py'"),
        ({"a/train.py": ""}, "train.py", {}, "did you mean 'a/train.py'? It holds: a/train.py."),
        ({"train.py": ""}, "../train.py", {}, "contains '.' or '..' path segments"),
        ({"train.py": ""}, "/opt/train.py", {}, "a leading '/', which makes it an absolute path"),
        ({}, "train.py", {}, "there is no code to run: give sagemaker_submit_directory"),
        (
            {},
            "train.py",
            {"sagemaker_submit_directory": "/opt/ml/nowhere"},
            "sagemaker_submit_directory is '/opt/ml/nowhere', but there is no ",
        ),
        ({"sourcedir.tar.gz": "x"}, "train.py", {}, "'train.py', which the code does not hold"),
    ],
)
def test_code_that_cannot_run_is_refused(
    lay: LayScript,
    files: dict[str, str],
    program: str,
    hyperparameters: dict[str, str],
    message: str,
) -> None:
    """Before anything is started, with the remedy."""
    job = lay(files, program, **hyperparameters)

    done = job.run()

    assert done.returncode == 1
    assert message in job.failure
    assert "Traceback" not in done.stderr


def test_a_folder_for_the_code_that_cannot_be_made_is_told(lay: LayScript) -> None:
    """A file stands there; with /opt/ml mounted read-only it is the same."""
    job = lay({"train.py": ""})
    (job.base / "code").touch()

    assert job.run().returncode == 1
    assert "code, where the code of script mode goes, cannot be made: File exists" in job.failure


@pytest.mark.parametrize(
    ("hosts", "code", "message"),
    [
        (["localhost", "127.0.0.1"], 0, None),
        (None, 1, "resourceconfig.json: 'hosts' is missing"),
    ],
)
def test_hosts_are_the_jobs(
    lay: LayScript, hosts: list[str] | None, code: int, message: str | None
) -> None:
    """Several are found by their names first; a file without them is named."""
    job = lay({"train.py": "import os; print(os.environ['SM_HOSTS'])"})
    config = {"current_host": "localhost"} | ({"hosts": hosts} if hosts else {})
    (job.base / "input/config/resourceconfig.json").write_text(json.dumps(config))

    done = job.run()

    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout or "null") == hosts
    assert message is None or message in job.failure


def test_a_relative_prefix_is_refused(lay: LayScript) -> None:
    """The program runs in another folder, where its SM_* variables would lead nowhere."""
    job = lay({"train.py": ""})

    done = subprocess.run(
        [sys.executable, str(DOOR)],
        cwd=job.base.parent,
        env={"SAGEMAKER_BASE_DIR": "a job", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "SAGEMAKER_BASE_DIR is 'a job'; script mode needs a full path" in done.stderr


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ('{"sagemaker_program": "train.py"}', "train.py"),
        (r'{"sagemaker_program": "\"train.py\""}', "train.py"),
        ('{"sagemaker_program": ""}', None),
        ('{"max_depth": "3"}', None),
        ("{broken", None),
        (None, None),
    ],
)
def test_one_hyperparameter_decides(tmp_path: Path, text: str | None, program: str | None) -> None:
    """Without it, and where the file is broken, the job is the built-in training's."""
    paths = SageMakerPaths(tmp_path)
    paths.config.mkdir(parents=True)
    if text is not None:
        paths.hyperparameters.write_text(text)

    assert user_program(paths) == program
