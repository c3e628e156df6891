"""Checks a request of a pipeline's step against botocore's own model of the operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import get_session
from botocore.validate import ParamValidator

# The operation a step's arguments are for, and what the service adds to them when it runs.
OPERATIONS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "Transform": ("CreateTransformJob", "TransformJobName"),
    "Model": ("CreateModel", "ModelName"),
    "RegisterModel": ("CreateModelPackage", None),
}
# What a step's properties are of.
DESCRIBED = {
    "Processing": "DescribeProcessingJob",
    "Training": "DescribeTrainingJob",
    "Transform": "DescribeTransformJob",
    "Model": "DescribeModel",
    "RegisterModel": "DescribeModelPackage",
}
SERVICE = get_session().get_service_model("sagemaker")


class Definition:
    """A pipeline's definition, every step of it found.

    Parameters
    ----------
    document
        The JSON that SageMaker is given.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.parameters = {p["Name"]: p for p in document["Parameters"]}
        self.steps = {step["Name"]: step for step in _flat(document["Steps"])}

    def request(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return a step's operation and its arguments, every reference resolved."""
        step = self.steps[name]
        operation, added = OPERATIONS[step["Type"]]
        arguments = self.resolve(step["Arguments"])
        return operation, arguments | ({added: "a-name"} if added else {})

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Replace references: parameters by their defaults, what runs bring by placeholders."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Get"}:
            return self._referred(value["Get"])
        if set(value) == {"Std:Join"}:
            join = value["Std:Join"]
            return join["On"].join(str(self.resolve(item)) for item in join["Values"])
        return {key: self.resolve(item) for key, item in value.items()}

    def _referred(self, reference: str) -> Any:  # noqa: ANN401 - of the parameter's type
        kind, _, rest = reference.partition(".")
        if kind == "Parameters":
            return self.parameters[rest]["DefaultValue"]
        if kind == "Execution":
            return "placeholder"
        name, _, path = rest.partition(".")
        step = self.steps[name]
        if not path.startswith("PropertyFiles."):
            shape = SERVICE.operation_model(DESCRIBED[step["Type"]]).output_shape
            _follow(shape, path, step)
        return "s3://bucket/placeholder" if path.endswith(("Uri", "Artifacts")) else "placeholder"


def faults(operation: str, arguments: Mapping[str, Any]) -> list[str]:
    """Return what the operation would refuse: types, names, enumerations, patterns, lengths."""
    shape = SERVICE.operation_model(operation).input_shape
    report = ParamValidator().validate(arguments, shape).generate_report()
    return [*filter(None, report.split("\n")), *_rules(shape, arguments, operation)]


def _rules(shape: Shape, value: Any, place: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return what botocore's validator lets pass and the service does not."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return [
            fault
            for key, item in value.items()
            if key in shape.members
            for fault in _rules(shape.members[key], item, f"{place}.{key}")
        ]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return [
            fault
            for key, item in value.items()
            for fault in (
                *_rules(shape.key, key, f"{place} key {key}"),
                *_rules(shape.value, item, f"{place}[{key}]"),
            )
        ]
    if isinstance(shape, ListShape) and isinstance(value, list):
        found = [f for i, v in enumerate(value) for f in _rules(shape.member, v, f"{place}[{i}]")]
        return [*found, *_size(shape, len(value), place)]
    if not isinstance(value, str):
        return []
    found = _size(shape, len(value), place)
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        found.append(f"{place}: {value!r} is none of {allowed}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_python(pattern), value):
        found.append(f"{place}: {value!r} does not match {pattern}")
    return found


def _size(shape: Shape, size: int, place: str) -> list[str]:
    most = shape.metadata.get("max")
    return [f"{place}: {size} is more than {most}"] if most is not None and size > most else []


def _python(pattern: str) -> str:
    # Java's names of character classes, which a few patterns have.
    return pattern.replace(r"\p{L}", r"^\W\d_").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d")


def _follow(shape: Shape, path: str, step: Mapping[str, Any]) -> None:
    """Walk a property's path through what describing the job answers."""
    for part in re.findall(r"\w+|\['[^']+'\]", path):
        if part.startswith("["):
            # The service looks outputs up by their names.
            outputs = step["Arguments"]["ProcessingOutputConfig"]["Outputs"]
            assert part[2:-2] in [output["OutputName"] for output in outputs], path
            assert isinstance(shape, ListShape), path
            shape = shape.member
            continue
        assert isinstance(shape, StructureShape), path
        assert part in shape.members, f"{path}: {part} is no member of {shape.name}"
        shape = shape.members[part]


def _flat(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for step in steps:
        found.append(step)
        for branch in ("IfSteps", "ElseSteps"):
            found += _flat(step["Arguments"].get(branch, [])) if step["Type"] == "Condition" else []
    return found
