"""Several processes train as one, and end as one when one of them fails or is lost."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from churn_daal.cluster import Network, World, cluster
from churn_daal.contract.signals import StopSignal
from churn_daal.errors import UserError

ENDLESS = 1_000_000


def test_one_host_needs_no_network() -> None:
    """A job of one host is a world of one, whatever its name."""

    def resolver(*_args: object, **_options: object) -> list[Any]:
        raise AssertionError

    with cluster(
        ("nowhere",),
        "nowhere",
        stop=StopSignal(),
        on_failure=lambda _error: None,
        network=Network(resolver=resolver),
    ) as world:
        assert (world.rank, world.size, world.is_first, world.host) == (0, 1, True, "nowhere")


def test_hosts_find_each_other_and_exchange(job: Callable[..., Any]) -> None:
    """Names may resolve late; ranks follow the order of the hosts; everything reaches all."""
    exchange = job(3, "exchange", long=2_000)
    exchange.start("algo-2", late=2)
    exchange.start("algo-3")
    exchange.start("algo-1", late=3)

    for rank, seen in enumerate(exchange.seen()):
        assert seen == {
            "rank": rank,
            "ranks": [0, 1, 2],
            "long": [2_000] * 3,
            "text": ["é\n"] * 3,
            "stacked": [[1, 1], [2, 2], [2, 2]],
            "dtype": "<f4",
            "nothing": [0, 3],
            "any": [True, False],
        }
        # XGBoost's greetings would be taken for metrics there.
        assert exchange.text(f"algo-{rank + 1}", "stdout") == "done\n"


def test_shares_give_one_model(job: Callable[..., Any], tmp_path: Path) -> None:
    """Every host has the same model, as good as that of one machine; one host has no rows."""
    alone = job(1, "train")
    alone.start()
    [reference] = alone.seen()
    (tmp_path / "algo-1").rename(tmp_path / "alone")
    shared = job(3, "train", empty=[1])
    shared.start()
    first, *others = shared.seen()

    assert [other["model"] for other in others] == [first["model"]] * 2
    assert [other["auc"] for other in others] == [first["auc"]] * 2
    assert abs(first["auc"] - reference["auc"]) <= 0.002
    assert first["auc"] > 0.9


@pytest.mark.parametrize("victim", ["algo-1", "algo-2"])
def test_a_killed_host_ends_the_others(job: Callable[..., Any], victim: str) -> None:
    """Whoever waits for it inside XGBoost ends with a failure that names it."""
    training = job(3 if victim == "algo-2" else 2, "train", rounds=ENDLESS)
    survivors = [host for host in training.hosts if host != victim]
    training.start(*survivors)
    training.start(victim, dies_in=3)

    codes = training.codes()

    assert codes == {victim: -signal.SIGKILL, **dict.fromkeys(survivors, 1)}
    for host in survivors:
        assert training.text(host, "output/failure").startswith(
            f"AlgorithmError: host '{victim}' is lost: its connection closed without a word"
        )


def test_a_silent_host_ends_the_others(job: Callable[..., Any]) -> None:
    """A host that is there and says nothing, as behind a broken network, counts as lost."""
    training = job(2, "train", rounds=ENDLESS, network={"silence": 1.0})
    training.start("algo-1")
    training.start("algo-2", dies_in=2, by=signal.SIGSTOP)

    assert training.processes["algo-1"].wait(60) == 1
    failure = training.text("algo-1", "output/failure")
    assert failure.startswith("AlgorithmError: host 'algo-2' is lost: nothing came from it for 1 s")


@pytest.mark.parametrize(("size", "culprit"), [(2, "algo-1"), (3, "algo-3")])
def test_a_hosts_own_fault_is_everyones_reason(
    job: Callable[..., Any], size: int, culprit: str
) -> None:
    """Bad data on one host ends all, and each failure file says where it is."""
    training = job(size, "train", rounds=ENDLESS)
    others = [host for host in training.hosts if host != culprit]
    training.start(*others)
    training.start(culprit, fails_in=0)

    assert training.codes() == dict.fromkeys(training.hosts, 1)
    cause = "label.csv, row 7: 'yes' is no number."
    assert training.text(culprit, "output/failure") == f"UserError: {cause}"
    for host in others:
        failure = training.text(host, "output/failure")
        assert failure == f"UserError: host '{culprit}' failed: {cause}"


def test_hosts_with_other_columns_are_named(job: Callable[..., Any]) -> None:
    """What has to be equal everywhere is compared before the first round."""
    training = job(2, "disagree")
    training.start()

    assert training.codes() == {"algo-1": 1, "algo-2": 1}
    for host in training.hosts:
        assert training.text(host, "output/failure").startswith(
            """UserError: the hosts differ in the columns: 'algo-1' has ["age", "plan"], """
            """'algo-2' has ["age", "plane"]."""
        )


def test_a_signal_to_one_host_stops_all_in_the_same_round(job: Callable[..., Any]) -> None:
    """Hosts that get SIGTERM at different moments still end with one model."""
    training = job(2, "train", rounds=ENDLESS)
    training.start("algo-1")
    training.start("algo-2", dies_in=2, by=signal.SIGTERM)

    first, second = training.seen()

    assert first["rounds"] == second["rounds"] == 3
    assert first["model"] == second["model"]


def test_a_host_that_does_not_come_is_named(job: Callable[..., Any]) -> None:
    """The hosts that came end with its name, not with a time-out of XGBoost's."""
    training = job(3, "train", network={"meet": 1.0})
    training.start("algo-1", "algo-2")

    assert training.codes() == {"algo-1": 1, "algo-2": 1}
    cause = "these hosts did not connect to 'algo-1' within 1 s: algo-3."
    assert training.text("algo-1", "output/failure").startswith(f"UserError: {cause}")
    second = training.text("algo-2", "output/failure")
    assert second.startswith(f"UserError: host 'algo-1' failed: {cause}")


def test_a_stop_ends_the_wait_for_the_others(job: Callable[..., Any]) -> None:
    """SIGTERM while hosts are missing does not have to wait a quarter of an hour."""
    training = job(2, "train")
    training.start("algo-2")
    # The handlers are there before the host looks for the first one.
    training.wait_for("algo-2", "ready")
    training.processes["algo-2"].send_signal(signal.SIGTERM)

    assert training.codes() == {"algo-2": 1}
    assert "asked to stop while it was waiting for 'algo-1'" in training.text(
        "algo-2", "output/failure"
    )


def test_a_taken_port_is_named(job: Callable[..., Any]) -> None:
    """Where another program listens on the port, the message says on which."""
    training = job(2, "train")
    port = training.spec["network"]["channel_port"]
    with socket.create_server(("127.0.0.1", port)):
        training.start("algo-1")

        assert training.codes() == {"algo-1": 1}

    failure = training.text("algo-1", "output/failure")
    assert f"'algo-1' cannot listen on 127.0.0.1 port {port}: Address already in use" in failure


def test_worlds_of_one_exchange_as_larger_ones_do() -> None:
    """What works on one host works on several: the same types come back."""
    world = World(("algo-1",), 0)

    assert world.gather({"pair": (1, None)}) == [{"pair": [1, None]}]
    assert world.any(flag=True)
    world.agree("the columns", ["age"])
    with pytest.raises(TypeError, match="JSON"):
        world.gather({1, 2})


def test_an_error_leaves_the_block_of_one_host() -> None:
    """One host's errors are its own."""
    with (
        pytest.raises(UserError, match="row 3"),
        cluster(("a",), "a", stop=StopSignal(), on_failure=lambda _error: None),
    ):
        raise UserError("row 3")
