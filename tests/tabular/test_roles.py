"""Columns get their roles by name or position, and a role that cannot be is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from churn_daal.errors import UserError
from churn_daal.tabular.csv_channel import CsvReader
from churn_daal.tabular.roles import RoleNames, resolve


def table(folder: Path, text: str = "Id,State,Mins,Churn\n7,KS,1.5,no\n") -> CsvReader:
    """Open a small table."""
    (folder / "t.csv").write_text(text)
    return CsvReader([folder / "t.csv"])


def test_the_first_column_is_the_label(tmp_path: Path) -> None:
    """As in AWS's image, unless something else is said."""
    roles = resolve(RoleNames(), table(tmp_path))

    assert (roles.label, roles.features) == (0, (1, 2, 3))


def test_the_first_column_is_not_one_named_0(tmp_path: Path) -> None:
    """The default is a position; a label given as "0" finds the name first."""
    (tmp_path / "t.csv").write_text("target,0\n1,2\n")
    named = CsvReader([tmp_path / "t.csv"], header="present")

    assert resolve(RoleNames(), named).label == 0
    assert resolve(RoleNames(label="0"), named).label == 1


@pytest.mark.parametrize("label", ["Churn", "3", "-1"])
def test_by_name_or_position(tmp_path: Path, label: str) -> None:
    """Positions count from 0, and from the end when negative."""
    roles = resolve(
        RoleNames(label=label, id_columns=("Id",), drop_columns=("1",)), table(tmp_path)
    )

    assert (roles.label, roles.features, roles.others) == (3, (2,), (0, 1, 3))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (RoleNames(label="Chrn"), "label: there is no column 'Chrn'. Did you mean 'Churn'?"),
        (RoleNames(label="4"), "label: position 4 is outside the 4 columns; expected 0 to 3"),
        (RoleNames(weight="Id"), "weight: column 'Id' is the label already"),
        (
            RoleNames(label="Churn", id_columns=("Churn",)),
            "id_columns: column 'Churn' is the label",
        ),
        (RoleNames(categorical_columns=("Id",)), "categorical_columns: column 0 is the label"),
        (RoleNames(drop_columns=("1", "2", "3")), "no feature column is left of 4"),
    ],
)
def test_wrong_roles_are_refused(tmp_path: Path, names: RoleNames, message: str) -> None:
    """The message names the hyperparameter, the column and the remedy."""
    with pytest.raises(UserError, match=re.escape(message)):
        resolve(names, table(tmp_path))


def test_a_name_needs_a_header(tmp_path: Path) -> None:
    """Without one, positions are asked for."""
    with pytest.raises(UserError, match="the data has no header; give its position, 0 to 1"):
        resolve(RoleNames(label="Churn"), table(tmp_path, "1,2\n3,4\n"))
