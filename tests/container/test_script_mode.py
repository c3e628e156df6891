"""`docker run IMAGE train` runs the user's own program, and `serve` its model."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from churn_daal import artifact

from .conftest import Start, Train
from .drive import AS_CALLER, CHURN, REPOSITORY, docker, mount, poll

pytestmark = pytest.mark.container
EXAMPLE = REPOSITORY / "examples" / "script_mode"
WAITS = """\
import os, signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
print("running", flush=True)
while not asked:
    time.sleep(0.05)
open(os.environ["SM_MODEL_DIR"] + "/saved", "w").close()
"""


def lay(base: Path, files: dict[str, str], **hyperparameters: str) -> Path:
    """Lay an /opt/ml with the churn data, and files in the channel `code`."""
    for folder in ("input/config", "input/data/train", "input/data/code", "model", "output/data"):
        (base / folder).mkdir(parents=True)
    shutil.copy(CHURN, base / "input/data/train")
    asked = {"sagemaker_program": "train.py"} | hyperparameters
    (base / "input/config/hyperparameters.json").write_text(json.dumps(asked))
    for name, text in files.items():
        (base / "input/data/code" / name).write_text(text)
    return base


def test_the_examples_model_is_served(train: Train, serve: Start, tmp_path: Path) -> None:
    """Without any network; the answers are the stock booster's on the script's own features."""
    opt_ml = lay(tmp_path / "ml", {path.name: path.read_text() for path in EXAMPLE.iterdir()})

    done = train(opt_ml, "--network", "none")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[0]\ttrain-logloss:")
    manifest = artifact.audit(opt_ml / "model")
    assert manifest.engine.name == "onedal"
    record = dict.fromkeys(manifest.schema.names, 2.5)
    answer = serve(opt_ml / "model").post(json.dumps(record).encode(), "application/json")
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["predictions"][0]["predicted_label"] in {"stays", "churns"}


def test_sigterm_to_process_one_reaches_the_program(start: Start, tmp_path: Path) -> None:
    """A stopped job's script has its 120 seconds (rule T13)."""
    opt_ml = lay(tmp_path / "ml", {"train.py": WAITS})
    job = start("train", *AS_CALLER, *mount(opt_ml, "/opt/ml"))
    poll(lambda: "running" in job.logs(), "the program's start", job.logs)

    job.terminate()

    assert job.exit_code() == 0, job.logs()
    assert (opt_ml / "model/saved").exists()


@pytest.mark.parametrize("brought", [True, False])
def test_requirements_come_from_the_wheelhouse(
    image: str, tmp_path: Path, *, brought: bool
) -> None:
    """As root and without network, as SageMaker runs a job in isolation."""
    opt_ml = lay(
        tmp_path / "ml", {"train.py": "import told_apart", "requirements.txt": "told-apart"}
    )
    wheelhouse = opt_ml / "input/data/code/wheelhouse"
    wheelhouse.mkdir()
    if brought:
        lay_wheel(wheelhouse)
    where = ("--network", "none", *mount(opt_ml, "/opt/ml"))

    done = docker("run", "--rm", *where, image, "train")

    # Root's files, which the user who runs the tests has to be able to remove.
    docker("run", "--rm", *where, image, "chmod", "-R", "a+rwX", "/opt/ml")
    if brought:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1
        assert "No matching distribution found for told-apart" in done.stderr


def lay_wheel(folder: Path) -> None:
    """Write the smallest wheel there is."""
    about = "told_apart-1.0.dist-info"
    with zipfile.ZipFile(folder / "told_apart-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("told_apart.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: told-apart\nVersion: 1.0")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{about}/RECORD", "")


def test_a_programs_exit_code_is_the_jobs(train: Train, tmp_path: Path) -> None:
    """And its exception is the reason that SageMaker shows."""
    opt_ml = lay(tmp_path / "ml", {"train.py": "class Bad(Exception): pass\nraise Bad('rows')"})

    done = train(opt_ml)

    assert done.returncode == 1
    failure = (opt_ml / "output/failure").read_text()
    assert failure.startswith("UserError: train.py ended with exit code 1: Bad: rows (")
