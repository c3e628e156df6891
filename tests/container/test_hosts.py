"""Jobs on two and three hosts: containers on a private network, named as SageMaker names them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from .drive import AS_CALLER, Container, docker, lay_job, mount, poll

pytestmark = pytest.mark.container
Start = Callable[..., Container]
Launch = Callable[..., list[tuple[Container, Path]]]
Train = Callable[..., subprocess.CompletedProcess[str]]
RNG = np.random.default_rng(2)
ROWS, COLUMNS = 20_000, 6
X = RNG.normal(size=(ROWS + 10_000, COLUMNS)).round(4)
CHANCE = 1 / (1 + np.exp(-(X @ np.linspace(-1.5, 1.5, COLUMNS))))
Y = (RNG.random(len(X)) < CHANCE).astype(int)
HP = {"num_round": 30, "max_depth": 4, "eta": 0.3, "objective": "binary:logistic"}


def shard(part: slice) -> str:
    """Return rows as CSV."""
    rows = zip(Y[:ROWS][part], X[:ROWS][part].tolist(), strict=True)
    return "".join(f"{y},{','.join(map(str, x))}\n" for y, x in rows)


@pytest.fixture(name="network")
def _network() -> Iterator[str]:
    """Make a private network, gone after the test."""
    name = f"churn-daal-{uuid.uuid4().hex[:12]}"
    assert docker("network", "create", "--internal", name).returncode == 0
    yield name
    docker("network", "rm", name)


@pytest.fixture(name="launch")
def _launch(
    start: Start, network: str, tmp_path: Path
) -> Callable[..., list[tuple[Container, Path]]]:
    def launch(
        *shards: str | None,
        name: str = "job",
        prepare: Callable[[int, Path], None] = lambda _, __: None,
        **given: object,
    ) -> list[tuple[Container, Path]]:
        """Start one container a shard; return each with its folder.

        `prepare` changes a host's folder, by its number, before its container starts.
        """
        hosts = [f"algo-{number}" for number in range(1, len(shards) + 1)]
        found = []
        for host, text in zip(hosts, shards, strict=True):
            files = {} if text is None else {"train/part.csv": text}
            opt_ml = lay_job(
                tmp_path / name / host,
                files,
                {"train": {"ContentType": "text/csv"}},
                **{**HP, **given},
            )
            (opt_ml / "input/data/train").mkdir(exist_ok=True)
            config = {"current_host": host, "hosts": hosts, "network_interface_name": "eth0"}
            (opt_ml / "input/config/resourceconfig.json").write_text(json.dumps(config))
            prepare(len(found), opt_ml)
            where = ("--network", network, "--network-alias", host, "--hostname", host)
            container = start("train", *where, *AS_CALLER, *mount(opt_ml, "/opt/ml"))
            found.append((container, opt_ml))
        return found

    return launch


def with_checkpoints(*sources: Path | None) -> Callable[[int, Path], None]:
    """Return what asks for checkpoints, and fills each host's folder as SageMaker does."""

    def prepare(host: int, opt_ml: Path) -> None:
        config = {"LocalPath": "/opt/ml/checkpoints", "S3Uri": "s3://bucket/checkpoints"}
        (opt_ml / "input/config/checkpointconfig.json").write_text(json.dumps(config))
        source = sources[host] if sources else None
        if source is None:
            (opt_ml / "checkpoints").mkdir()
        else:
            shutil.copytree(source, opt_ml / "checkpoints")

    return prepare


def last_saved(opt_ml: Path) -> int:
    """Return the last round that a checkpoint of a host holds, -1 where there is none."""
    ends = (path.name.rpartition(".")[2] for path in (opt_ml / "checkpoints").iterdir())
    return max((int(end) for end in ends if end.isdecimal()), default=-1)


def auc_of(opt_ml: Path) -> float:
    """Score a saved model on rows no host has seen."""
    booster = xgboost.Booster(model_file=bytearray((opt_ml / "model/xgboost-model").read_bytes()))
    answers = booster.inplace_predict(X[ROWS:].astype(np.float32))
    return float(roc_auc_score(Y[ROWS:], answers))


@pytest.mark.parametrize("count", [2, 3])
def test_sharded_training_is_as_good_as_one_machine(
    launch: Launch,
    train: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    count: int,
) -> None:
    """AUC on other rows is within 0.002 of one machine's; the first host alone writes a model."""
    alone = lay_job(tmp_path / "alone", {"train/all.csv": shard(slice(None))}, **HP)
    assert train(alone).returncode == 0

    hosts = launch(*(shard(slice(place, None, count)) for place in range(count)))

    for container, _ in hosts:
        assert container.exit_code() == 0, container.logs()
    assert abs(auc_of(hosts[0][1]) - auc_of(alone)) <= 0.002
    for _, opt_ml in hosts[1:]:
        assert not any((opt_ml / "model").iterdir())


def test_a_host_that_dies_ends_the_job(launch: Launch) -> None:
    """The others end by themselves within a minute, each with a failure that names it."""
    hosts = launch(*(shard(slice(place, None, 3)) for place in range(3)), num_round=1_000_000)
    first = hosts[0][0]
    poll(lambda: "[5]\t" in first.logs(), "the fifth round", first.logs)

    docker("kill", hosts[1][0].name)

    for container, opt_ml in (hosts[0], hosts[2]):
        assert container.exit_code() == 1, container.logs()
        assert "algo-2" in (opt_ml / "output/failure").read_text()
        assert not any((opt_ml / "model").iterdir())


def test_sigterm_ends_all_hosts_in_one_round(launch: Launch) -> None:
    """SageMaker stops all hosts; the model so far is whole, and all exit 0."""
    hosts = launch(shard(slice(0, None, 2)), shard(slice(1, None, 2)), num_round=1_000_000)
    first = hosts[0][0]
    poll(lambda: "[3]\t" in first.logs(), "the third round", first.logs)

    for container, _ in hosts:
        container.terminate()

    for container, _ in hosts:
        assert container.exit_code() == 0, container.logs()
    assert auc_of(hosts[0][1]) > 0.8


def test_a_host_without_data_and_a_late_first_host(launch: Launch) -> None:
    """A host without files takes part."""
    hosts = launch(None, shard(slice(None)))

    for container, _ in hosts:
        assert container.exit_code() == 0, container.logs()
    assert auc_of(hosts[0][1]) > 0.8


def test_bad_data_on_one_host_is_named_on_all(launch: Launch) -> None:
    """The row is in the failure file of every host."""
    hosts = launch(shard(slice(0, 1000)), "1,2,3\n" + shard(slice(1000, 2000)))

    for container, opt_ml in hosts:
        assert container.exit_code() == 1, container.logs()
        assert "part.csv: row " in (opt_ml / "output/failure").read_text()


@pytest.mark.parametrize("second", ["mirrored", "empty"])
@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_job_goes_on_from_its_checkpoint(launch: Launch, killed: int, second: str) -> None:
    """Either host may be the one that is lost; both go on from one round and end with a model."""
    shards = shard(slice(0, None, 2)), shard(slice(1, None, 2))
    given = {"subsample": 0.7, "checkpoint_rounds": 5, "nthread": 1}
    hosts = launch(*shards, prepare=with_checkpoints(), num_round=1_000_000, **given)
    (first, opt_ml), (_, other) = hosts
    poll(lambda: last_saved(opt_ml) >= 9, "the second checkpoint", first.logs)

    docker("kill", "--signal", "KILL", hosts[killed][0].name)

    assert hosts[killed][0].exit_code() == 137
    assert hosts[1 - killed][0].exit_code() == 1
    assert list((other / "checkpoints").iterdir()) == []
    done = last_saved(opt_ml) + 1
    assert done >= 10
    for container, _ in hosts:
        # Its name on the network is the next one's.
        docker("rm", "--force", container.name)
    left = opt_ml / "checkpoints"
    sources = left, left if second == "mirrored" else None
    # num_round may change: so the job was surely not over when it was killed, and now ends soon.
    rounds = done + 10
    prepare = with_checkpoints(*sources)
    again = launch(*shards, name="again", prepare=prepare, num_round=rounds, **given)

    for container, _ in again:
        assert container.exit_code() == 0, container.logs()
        assert f"going on from the checkpoint of {done} rounds" in container.logs()
    numbers = re.findall(r"^\[(\d+)\]\t", again[0][0].logs(), re.MULTILINE)
    assert [int(number) for number in numbers] == list(range(done, rounds))
    model = bytearray((again[0][1] / "model/xgboost-model").read_bytes())
    assert xgboost.Booster(model_file=model).num_boosted_rounds() == rounds
    assert auc_of(again[0][1]) > 0.8
    assert not any((again[1][1] / "model").iterdir())


def test_folds_over_two_hosts(launch: Launch) -> None:
    """The first host alone writes the answers to the rows of both, and tells the figures."""
    hosts = launch(shard(slice(0, 1500)), shard(slice(1500, 2000)), _kfold=3, eval_metric="auc")

    for container, _ in hosts:
        assert container.exit_code() == 0, container.logs()
    lines = (hosts[0][1] / "output/data/predictions.csv").read_text().splitlines()
    labels = [int(line.partition(",")[0]) for line in lines]
    assert labels == Y[:2000].tolist()
    assert hosts[0][0].logs().count("[oof]\tcv-auc:") == 1
    assert "[oof]" not in hosts[1][0].logs()
    assert not (hosts[1][1] / "output/data/predictions.csv").exists()
