"""A host's findings survive the way to another host, and nothing else gets in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.report.host_state import merge_state, state_of
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column

Draw, Gather = Callable[..., Any], Callable[..., ChannelQuality]


def test_what_is_sent_equals_what_was_gathered(draw: Draw, gather: Gather) -> None:
    """An empty host that merges a state tells what the sender would tell."""
    sender = gather(draw(3_000, 1), seek_leaks=True)
    sender.add_file("part.csv", 3_000)
    receiver = sender.twin()
    wire = json.dumps(state_of(sender), allow_nan=False)
    merge_state(receiver, json.loads(wire))

    assert not sender.columns[0].sketch.exact
    assert json.dumps(receiver.to_json()) == json.dumps(sender.to_json())


@pytest.mark.parametrize("rows", [0, 300])
def test_it_merges_as_in_one_process(draw: Draw, gather: Gather, rows: int) -> None:
    """By way of JSON or not, two hosts give one result; one of them may have no rows."""
    parts = [draw(500, 1), draw(rows, 2)]
    direct, sent, other = gather(parts[0]), gather(parts[0]), gather(parts[1])
    merge_state(sent, json.loads(json.dumps(state_of(other), allow_nan=False)))
    direct.merge(other)

    assert json.dumps(sent.to_json()) == json.dumps(direct.to_json())


def test_a_leak_is_found_across_hosts() -> None:
    """What tells the label on both hosts does so in the whole."""
    y = np.tile([0.0, 1.0], 50).astype(np.float32)
    columns = [Column("copy", "number"), Column("array", "category", "ordinal", ("a", "b"))]
    hosts = [
        ChannelQuality(columns, Labels("y", (0, 1)), "binary", seek_leaks=True) for _ in range(2)
    ]
    for host in hosts:
        host.add([y * 3, (y.astype(np.int32), ["array", "held"])], y)
    merge_state(hosts[0], json.loads(json.dumps(state_of(hosts[1]))))

    assert [name for name, _ in hosts[0].telling()] == ["copy", "array"]
    assert hosts[0].columns[1].categories.counts == {"array": 100, "held": 100}


@pytest.mark.parametrize(
    "state",
    [None, 3, {}, {"held": []}, {"held": [{"array": "AAAA", "type": "object"}] * 7}],
    ids=["nothing", "number", "empty", "no members", "objects"],
)
def test_anything_else_is_refused(draw: Draw, gather: Gather, state: object) -> None:
    """What is no state raises, and leaves the receiver as it was."""
    receiver = gather(draw(50, 1))
    before = json.dumps(receiver.to_json())

    with pytest.raises(ValueError, match=r"no state of this channel|no type|argument"):
        merge_state(receiver, state)
    assert json.dumps(receiver.to_json()) == before


def test_other_columns_are_refused(draw: Draw, gather: Gather) -> None:
    """Hosts that disagree about the columns are not mixed."""
    other = ChannelQuality([Column("x", "number")], Labels("y", (0, 1)), "binary")

    with pytest.raises(ValueError, match="shorter"):
        merge_state(gather(draw(50, 1)), state_of(other))
