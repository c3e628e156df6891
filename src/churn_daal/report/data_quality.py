"""data_quality.json: what the channels hold, and what in it a user should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from churn_daal.report.channel_quality import ChannelQuality
from churn_daal.report.column_quality import ColumnQuality
from churn_daal.tabular.schema import Column

MOSTLY_MISSING = 0.5
RARE_CLASS = 0.01
# A text column with more values than this share of its rows names rows rather than kinds.
IDENTIFIER = 0.5
IDENTIFIER_ROWS = 100
# Shared rows are no accident where they are this many times as frequent as repeated ones.
BEYOND_CHANCE = 4
_SHOWN = 10


def describe_data(
    channels: Mapping[str, ChannelQuality], columns: Sequence[Column]
) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    channels
        By name; `train` among them.
    columns
        The schema's raw columns, whose categories are the known ones.
    """
    train = channels["train"]
    others = {name: channel for name, channel in channels.items() if name != "train"}
    known = {c.name: frozenset(c.categories) for c in columns if c.kind == "category"}
    shared = {name: _shared(channel, train) for name, channel in others.items()}
    unseen = {name: _unseen(channel, known) for name, channel in others.items()}
    warnings = [
        *_label_warnings(train),
        *(line for column in train.columns for line in _column_warnings(column)),
        *_leak_warnings(train),
        *_shared_warnings(shared, channels),
        *_unseen_warnings(unseen),
    ]
    return {
        "warnings": warnings,
        "rows_also_in_train": shared,
        "unseen_categories": unseen,
        "channels": {name: channel.to_json() for name, channel in channels.items()},
    }


def _shared(channel: ChannelQuality, train: ChannelQuality) -> dict[str, Any]:
    return {
        "rows": channel.hashes.found_in(train.hashes),
        "exact": channel.hashes.exact and train.hashes.exact,
    }


def _unseen(channel: ChannelQuality, known: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    found = {}
    for column in channel.columns:
        if column.name not in known:
            continue
        strange = [
            (value, count)
            for value, count in column.categories.top(len(column.categories.counts))
            if value not in known[column.name]
        ]
        if strange:
            values = [{"value": value, "count": count} for value, count in strange[:_SHOWN]]
            rows = sum(count for _, count in strange)
            found[column.name] = {"rows": rows, "distinct": len(strange), "top": values}
    return found


def _label_warnings(train: ChannelQuality) -> Iterator[str]:
    for entry in train.balance():
        if entry["share"] < RARE_CLASS:
            yield (
                f"class {entry['class']!r} has {entry['rows']} of {train.rows} rows; its figures "
                "are uncertain: add rows of it, or weigh them (scale_pos_weight, weight)"
            )


def _column_warnings(column: ColumnQuality) -> Iterator[str]:
    name = f"column {column.name!r}"
    if not column.present:
        yield f"{name} is empty; list it in drop_columns"
        return
    if column.missing > MOSTLY_MISSING * column.rows:
        yield f"{name} is missing in {column.missing} of {column.rows} rows"
    if column.constant:
        yield f"{name} has one value only and tells nothing; list it in drop_columns"
    if column.moments.infinite:
        yield f"{name} has {column.moments.infinite} infinite values; expected finite numbers"
    distinct = 0 if column.numeric else column.categories.distinct
    if column.present >= IDENTIFIER_ROWS and distinct > IDENTIFIER * column.present:
        yield (
            f"{name} has {distinct} values in {column.present} rows; if it names the row, list it "
            "in id_columns"
        )


def _leak_warnings(train: ChannelQuality) -> Iterator[str]:
    for name, how in train.telling():
        yield (
            f"column {name!r}: {how}; if it is not known when the model is asked, list it in "
            "drop_columns"
        )


def _shared_warnings(
    shared: Mapping[str, Mapping[str, Any]], channels: Mapping[str, ChannelQuality]
) -> Iterator[str]:
    train = channels["train"]
    for name, found in shared.items():
        # Rows of few and coarse columns repeat by chance, in the train channel itself as well.
        by_chance = train.hashes.repeated() / max(1, train.rows)
        if found["rows"] > BEYOND_CHANCE * by_chance * channels[name].rows:
            about = "" if found["exact"] else "about "
            yield (
                f"{about}{found['rows']} rows of channel {name!r} are in the train channel, too: "
                "figures on them are too good; take them out of one of the two"
            )


def _unseen_warnings(unseen: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, columns in unseen.items():
        for column, entry in columns.items():
            yield (
                f"column {column!r}: {entry['rows']} cells of channel {name!r} hold a category "
                f"that is not in the train channel, such as {entry['top'][0]['value']!r}; they "
                "are read as missing"
            )
