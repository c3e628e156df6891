"""The manifest: all that serving has to know of a model besides its trees.

`FORMAT_VERSION` is the version of the whole folder, not of this file alone. Raise it by one
when a reader of the version before would misread or refuse what is written: a field removed
or given another meaning, another encoding rule, another file layout. Adding a field that
older readers may pass over does not raise it. To raise it: change the number, describe the
new format in docs/artifact.md, and keep a reader and a test for each older version that has
been released, or say in the CHANGELOG that models must be trained again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from churn_daal.artifact.statistics import Statistics
from churn_daal.errors import ArtifactError
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Schema

FORMAT_VERSION = 1
EngineName = Literal["onedal", "xgboost"]


@dataclass(frozen=True)
class EngineChoice:
    """Which engine answers, and what spoke against oneDAL where it is XGBoost."""

    name: EngineName
    reason: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What `daal/manifest.json` says.

    Attributes
    ----------
    schema, labels
        The raw columns and the classes.
    objective
        XGBoost's name of the objective.
    num_class
        Classes of a `multi:*` objective, 0 otherwise.
    threshold
        Probability of the positive class from which a binary answer is that class.
    engine
        Which engine answers.
    parity
        What the parity gate measured; None where nothing could be converted.
    metrics
        Of the held-out rows.
    versions
        Of the libraries that wrote the folder.
    hyperparameters
        As the job was given them.
    files
        SHA-256 of each other file of the folder, by its relative path.
    statistics
        Of the train channel's columns.
    """

    schema: Schema
    labels: Labels
    objective: str
    num_class: int
    threshold: float
    engine: EngineChoice
    parity: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)

    def to_json(self) -> bytes:
        """Return the file's bytes; the same manifest gives the same bytes."""
        data = {
            "format_version": FORMAT_VERSION,
            "objective": self.objective,
            "num_class": self.num_class,
            "threshold": self.threshold,
            "engine": {"name": self.engine.name, "reason": self.engine.reason},
            "parity": self.parity,
            "label": self.labels.to_dict(),
            "schema": self.schema.to_dict(),
            "statistics": self.statistics.to_dict(),
            "metrics": self.metrics,
            "hyperparameters": self.hyperparameters,
            "versions": self.versions,
            "files": self.files,
        }
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
        return (text + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Read the file's bytes.

        Raises
        ------
        ArtifactError
            Broken JSON, another format version, or a field that is absent or of another type.
        """
        try:
            parsed = json.loads(data)
        except ValueError as error:
            raise ArtifactError(
                f"daal/manifest.json: not JSON ({error}); the file is damaged, copy the model again"
            ) from None
        if not isinstance(parsed, dict):
            raise ArtifactError("daal/manifest.json: expected a JSON object; copy the model again")
        version = parsed.get("format_version")
        if version != FORMAT_VERSION:
            raise ArtifactError(
                f"daal/manifest.json: format version {version!r}, this release reads "
                f"{FORMAT_VERSION}; serve the model with the release that trained it, or train it "
                "again"
            )
        engine = _get(parsed, "engine", dict)
        if engine.get("name") not in get_args(EngineName):
            raise ArtifactError(
                f"daal/manifest.json: engine {engine.get('name')!r} is none of "
                f"{get_args(EngineName)}; copy the model again"
            )
        labels = Labels.from_dict(_get(parsed, "label", dict))
        objective, num_class = _get(parsed, "objective", str), _get(parsed, "num_class", int)
        _check_classes(objective, num_class, len(labels.classes))
        return cls(
            schema=Schema.from_dict(_get(parsed, "schema", dict)),
            labels=labels,
            objective=objective,
            num_class=num_class,
            threshold=float(_get(parsed, "threshold", int | float)),
            engine=EngineChoice(engine["name"], engine.get("reason")),
            parity=parsed.get("parity"),
            metrics=_get(parsed, "metrics", dict),
            versions=_get(parsed, "versions", dict),
            hyperparameters=_get(parsed, "hyperparameters", dict),
            files=_get(parsed, "files", dict),
            statistics=Statistics.from_dict(parsed.get("statistics")),
        )


def _check_classes(objective: str, num_class: int, classes: int) -> None:
    kind = objective.partition(":")[0]
    expected = {"binary": (0, 2), "multi": (max(2, num_class), max(2, num_class))}.get(kind, (0, 0))
    if (num_class, classes) != expected:
        raise ArtifactError(
            f"daal/manifest.json: {objective} with num_class {num_class} and {classes} label "
            f"classes, expected {expected[0]} and {expected[1]}; copy the model again"
        )


def _get(data: Mapping[str, Any], key: str, kind: Any) -> Any:  # noqa: ANN401 - JSON of any type
    value = data.get(key)
    if not isinstance(value, kind):
        came = "is absent" if key not in data else f"is {value!r:.60}"
        raise ArtifactError(
            f"daal/manifest.json: {key} {came}, expected {getattr(kind, '__name__', kind)}; "
            "the file was changed by hand or damaged, copy the model again"
        )
    return value
