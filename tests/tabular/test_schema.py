"""The schema survives the manifest and refuses names and widths that are not its own."""

from __future__ import annotations

import pytest

from churn_daal.errors import ArtifactError, SchemaError
from churn_daal.tabular.schema import Column, Schema

SCHEMA = Schema(
    (Column("State", "category", "onehot", ("KS", "OH")), Column("Day Mins", "number")),
    ignored=("Churn?",),
    delimiter=";",
)


def test_round_trip() -> None:
    """What to_dict writes, from_dict reads."""
    assert Schema.from_dict(SCHEMA.to_dict()) == SCHEMA


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["State", "Day Min"],
            r"unknown name 'Day Min' \(did you mean 'Day Mins'\?\); the model's columns: 'State'",
        ),
        (["State"], "1 names came, 'Day Mins' of the model's 2 columns not among them; send null"),
        (["State", "State", "Day Mins"], "the name 'State' comes twice"),
    ],
)
def test_names_are_checked(names: list[str], message: str) -> None:
    """Unknown, absent and doubled names are told apart."""
    with pytest.raises(SchemaError, match=message):
        SCHEMA.check_names(names)


def test_ignored_names_may_come() -> None:
    """A record may carry the label column of the training data."""
    SCHEMA.check_names(["Churn?", "Day Mins", "State"])


def test_width_is_checked() -> None:
    """The message has both widths."""
    with pytest.raises(
        SchemaError, match=r"row 4: 3 values came, the model expects 2: 'State', 'Day Mins'"
    ):
        SCHEMA.check_count(3, row=4)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"columns": [], "ignored": [], "delimiter": ","},
        {"columns": [{"name": "a", "kind": "date"}], "ignored": [], "delimiter": ","},
        {"columns": [{"name": "a", "kind": "category"}], "ignored": [], "delimiter": ","},
        {"columns": [{"name": "a", "kind": "number"}], "ignored": [], "delimiter": ",,"},
    ],
)
def test_a_damaged_schema_is_refused(data: dict[str, object]) -> None:
    """A manifest that was changed by hand is no crash later on."""
    with pytest.raises(ArtifactError, match=r"^daal/manifest.json: "):
        Schema.from_dict(data)
