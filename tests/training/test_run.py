"""A job's files in, a model folder out; or a failure file and no model."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from churn_daal import artifact, training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.data import churn_csv
from churn_daal.errors import UserError
from churn_daal.serving.decoders import FORMATS

LayJob = Callable[..., SageMakerPaths]
TEMPLATE = {"max_depth": 5, "gamma": 4, "min_child_weight": 6, "subsample": 0.7, "num_round": 100}
ROWS = "y,x,c\n" + "".join(f"{n % 2},{n % 7 + n % 2},{'ab'[n % 2]}\n" for n in range(60))


@pytest.fixture(autouse=True)
def _base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))


def test_the_churn_data_trains_as_it_comes(lay_job: LayJob, tmp_path: Path) -> None:
    """With the template's hyperparameters the held-out AUC is 0.91 or more, on oneDAL."""
    paths = lay_job(
        tmp_path, churn_csv().read_text(), label="Churn?", objective="binary:logistic", **TEMPLATE
    )

    assert training.main() == 0

    manifest = artifact.audit(paths.model)
    assert manifest.metrics["auc"] >= 0.91
    assert manifest.metrics["rows"] == 1000
    assert manifest.engine.name == "onedal"
    assert manifest.parity is not None
    assert manifest.parity["max_difference"] <= 1e-5
    assert manifest.labels.classes == ("False.", "True.")


@pytest.mark.parametrize(
    "objective",
    ["binary:logistic", "binary:hinge", "reg:squarederror", "reg:logistic", "count:poisson"],
)
def test_the_folder_answers_as_stock_xgboost(
    lay_job: LayJob, tmp_path: Path, objective: str
) -> None:
    """What is served from the folder equals XGBoost's own answer from the same folder."""
    paths = lay_job(tmp_path, ROWS, objective=objective, num_round=5)
    assert training.main() == 0
    model = artifact.load(paths.model)
    body = b"\n".join(line.split(b",", 1)[1] for line in ROWS.encode().splitlines()[1:])
    (X,) = FORMATS["text/csv"].decode(memoryview(body), {}, model.encoder)

    booster = xgboost.Booster(model_file=bytearray((paths.model / "xgboost-model").read_bytes()))

    np.testing.assert_allclose(model.predict(X), booster.inplace_predict(X), atol=1e-5)


def test_classes_without_an_objective(lay_job: LayJob, tmp_path: Path) -> None:
    """Three words as labels make a multi:softprob model of three classes."""
    text = "y,x\n" + "".join(f"{'abc'[n % 3]},{n % 3 + n % 2}\n" for n in range(60))
    paths = lay_job(tmp_path, text, num_round=3)

    assert training.main() == 0

    manifest = artifact.audit(paths.model)
    assert (manifest.objective, manifest.num_class) == ("multi:softprob", 3)
    assert manifest.engine.name == "onedal"


def test_shares_as_labels_are_split_by_their_class(
    lay_job: LayJob, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Sixty different shares are two classes to hold out from, not sixty."""
    text = "y,x\n" + "".join(f"{n / 60},{n}\n" for n in range(60))
    paths = lay_job(tmp_path, text, objective="binary:logistic", num_round=3)

    assert training.main() == 0

    assert "too few" not in caplog.text
    matrix = artifact.audit(paths.model).metrics["confusion_matrix"]
    assert [sum(row) for row in matrix] == [6, 6]


def test_two_runs_give_equal_bytes(lay_job: LayJob, tmp_path: Path) -> None:
    """The same files and seed give the same model, to the last byte of every file."""
    folders = []
    for name in ("one", "two"):
        paths = lay_job(tmp_path / name, ROWS, num_round=5, subsample=0.5)
        training.run(paths, StopSignal())
        folders.append({p.name: p.read_bytes() for p in paths.model.rglob("*") if p.is_file()})

    assert folders[0] == folders[1]


def test_a_validation_channel_is_held_out(lay_job: LayJob, tmp_path: Path) -> None:
    """Its rows are the held-out ones, its columns may stand in another order."""
    paths = lay_job(tmp_path, ROWS, num_round=2)
    paths.channel("validation").mkdir()
    (paths.channel("validation") / "v.csv").write_text("c,y,x\na,0,1\nb,1,3\nz,1,\n")

    assert training.main() == 0
    assert artifact.audit(paths.model).metrics["rows"] == 3


def test_weights_and_dropped_columns(lay_job: LayJob, tmp_path: Path) -> None:
    """Columns with a role are no features, but may come by name when serving."""
    text = "id,y,w,x,note\n" + "".join(
        f"i{n},{n % 2},{1 + n % 2},{n % 5},t{n}\n" for n in range(40)
    )
    paths = lay_job(
        tmp_path, text, label="y", weight="w", id_columns="id", drop_columns="note", num_round=2
    )

    assert training.main() == 0

    schema = artifact.audit(paths.model).schema
    assert (schema.names, schema.ignored) == (("x",), ("id", "y", "w", "note"))


def test_a_request_to_stop_keeps_the_model(lay_job: LayJob, tmp_path: Path) -> None:
    """Asked to stop, the job ends after the round that runs, with a whole model."""
    paths = lay_job(tmp_path, ROWS, num_round=1000)
    stop = StopSignal()
    stop.request()

    training.run(paths, stop)

    booster = xgboost.Booster(model_file=bytearray((paths.model / "xgboost-model").read_bytes()))
    assert booster.num_boosted_rounds() == 1
    assert artifact.load(paths.model).answers()


@pytest.mark.parametrize(
    ("text", "hyperparameters", "reason"),
    [
        (ROWS, {"etta": 0.1}, "UserError: hyperparameter 'etta' is not known; the nearest"),
        (ROWS, {"eta": 2}, "UserError: hyperparameter 'eta' is '2'; expected"),
        (ROWS, {"label": "z"}, "UserError: hyperparameter label: there is no column 'z'."),
        (ROWS + "0,x,a\n", {}, "UserError: train.csv: row 62, column 2 ('x'): 'x' is not a"),
        (ROWS + "0,1\n", {}, "UserError: train.csv: row 62: 2 values, but the first row has 3"),
        (None, {}, "UserError: channel 'train': no file with content"),
    ],
)
def test_a_failed_job_says_why(
    *,
    lay_job: LayJob,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    hyperparameters: dict[str, object],
    reason: str,
) -> None:
    """Exit code 1, one line on stderr, the cause first in the failure file, no model."""
    paths = lay_job(tmp_path, text, **hyperparameters)

    assert training.main() == 1

    assert paths.failure.read_text().startswith(reason)
    assert len(paths.failure.read_bytes()) <= 1024
    assert reason in capsys.readouterr().err
    assert not list(paths.model.iterdir())


def test_without_a_train_channel(lay_job: LayJob, tmp_path: Path) -> None:
    """The channels there are get named."""
    paths = lay_job(tmp_path, ROWS)
    paths.input_data_config.write_text(json.dumps({"tran": {}}))

    with pytest.raises(UserError, match=r"no 'train' channel \(it has: tran\)"):
        training.run(paths, StopSignal())


def test_stdout_has_the_metric_lines_alone(
    lay_job: LayJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tab-separated line a round, so that SageMaker's metric regexes match."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    lay_job(tmp_path, ROWS, num_round=3, objective="binary:logistic")

    assert training.main() == 0

    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"[{n}]\ttrain-logloss:") for n, line in enumerate(lines))
    assert all("\tvalidation-logloss:" in line for line in lines)
