"""The manifest survives its file, and a damaged one is told apart from one of another version."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.artifact.statistics import ColumnStatistics, Statistics
from churn_daal.errors import ArtifactError
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column, Schema

MANIFEST = Manifest(
    schema=Schema((Column("Müller", "number"),)),
    labels=Labels("y", (0, 1)),
    objective="binary:logistic",
    num_class=0,
    threshold=0.5,
    engine=EngineChoice("xgboost", "because"),
    metrics={"auc": None},
    files={"xgboost-model": "00"},
    statistics=Statistics({"Müller": ColumnStatistics(0.25, -1.5, 2.0)}),
)


def test_round_trip() -> None:
    """What to_json writes, from_json reads; equal manifests give equal bytes."""
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST
    assert replace(MANIFEST).to_json() == MANIFEST.to_json()


def test_another_version_is_refused() -> None:
    """The message has both versions and the remedy."""
    data = json.loads(MANIFEST.to_json()) | {"format_version": 2}

    with pytest.raises(ArtifactError, match="format version 2, this release reads 1; serve the"):
        Manifest.from_json(json.dumps(data).encode())


@pytest.mark.parametrize("key", ["schema", "label", "objective", "threshold", "engine", "files"])
def test_each_field_is_needed(key: str) -> None:
    """A field that is gone or of another type is named."""
    data = json.loads(MANIFEST.to_json())

    with pytest.raises(ArtifactError, match=f"^daal/manifest.json: {key} is "):
        Manifest.from_json(json.dumps(data | {key: None}).encode())
    del data[key]
    with pytest.raises(ArtifactError, match=f"^daal/manifest.json: {key} is absent"):
        Manifest.from_json(json.dumps(data).encode())


def test_a_manifest_without_statistics_is_read() -> None:
    """An earlier release wrote none: nothing is known then."""
    data = json.loads(MANIFEST.to_json())
    del data["statistics"]

    assert Manifest.from_json(json.dumps(data).encode()).statistics == Statistics()


@pytest.mark.parametrize(
    "statistics",
    [
        [],
        {"Müller": 1},
        {"Müller": {"min": 0, "max": 1}},
        {"Müller": {"missing": 0, "min": 0}},
        {"Müller": {"missing": 0, "min": "0", "max": 1}},
        {"Müller": {"missing": None}},
    ],
)
def test_statistics_of_another_shape_are_refused(statistics: object) -> None:
    """With what came and the remedy."""
    data = json.loads(MANIFEST.to_json()) | {"statistics": statistics}

    with pytest.raises(ArtifactError, match=r"statistics.* is .*, expected .*copy the model again"):
        Manifest.from_json(json.dumps(data).encode())


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_truncated_file_is_refused(cut: int) -> None:
    """Half a manifest is not JSON."""
    with pytest.raises(ArtifactError, match=r"^daal/manifest.json: not JSON"):
        Manifest.from_json(MANIFEST.to_json()[:cut])


@pytest.mark.parametrize(
    ("objective", "num_class", "classes"),
    [
        ("binary:logistic", 0, ["a"]),
        ("binary:logistic", 2, ["a", "b"]),
        ("multi:softprob", 3, ["a", "b"]),
        ("multi:softprob", 0, []),
        ("reg:squarederror", 0, [0, 1]),
    ],
)
def test_classes_fit_the_objective(objective: str, num_class: int, classes: list[object]) -> None:
    """A manifest that would fail on the first request is refused at the start."""
    data = json.loads(MANIFEST.to_json()) | {
        "objective": objective,
        "num_class": num_class,
        "label": {"name": "y", "classes": classes},
    }

    with pytest.raises(ArtifactError, match=f"{objective} with num_class {num_class} and"):
        Manifest.from_json(json.dumps(data).encode())
