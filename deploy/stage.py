"""A stage's file, in the shape CodePipeline reads: a CloudFormation template configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.errors import DeployError

FOLDER: Final = Path(__file__).with_name("stages")
_KEYS: Final = ("Parameters", "Tags", "StackPolicy")


@dataclass(frozen=True)
class Stage:
    """What one stage has of its own.

    Attributes
    ----------
    name
        The file's, and the parameter `StageName`.
    parameters, tags
        Texts by name.
    policy
        Which updates CloudFormation refuses; None for the usual: none.
    """

    name: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] | None = None

    def to_json(self, parameters: Mapping[str, str]) -> str:
        """Return a configuration file with these parameters in place of its own."""
        document: dict[str, Any] = {"Parameters": dict(parameters), "Tags": dict(self.tags)}
        if self.policy is not None:
            document["StackPolicy"] = self.policy
        return json.dumps(document, indent=2) + "\n"

    def to_policy(self) -> str:
        """Return the policy's text, as CloudFormation takes it."""
        return json.dumps(self.policy)


def load_stage(name: str, folder: Path = FOLDER) -> Stage:
    """Read `NAME.json`.

    Raises
    ------
    DeployError
        There is no such stage, or its file is not of that shape.
    """
    file = folder / f"{name}.json"
    there = sorted(path.stem for path in folder.glob("*.json"))
    if name not in there:
        raise DeployError(
            f"stage {name!r} is not configured; configured are: {', '.join(there) or 'none'}. "
            f"Name one of them, or write {file}"
        )
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DeployError(f"{file} is no JSON that can be read: {error}") from None
    if not isinstance(document, dict) or not document.keys() <= set(_KEYS):
        came = sorted(document) if isinstance(document, dict) else type(document).__name__
        raise DeployError(f"{file} holds {came}; expected an object of {', '.join(_KEYS)}")
    parameters = _texts(file, document, "Parameters")
    if parameters.get("StageName") != name:
        raise DeployError(
            f"{file}: the parameter StageName is {parameters.get('StageName')!r}; expected "
            f"{name!r}, the file's own name, or two stages would have one stack"
        )
    policy = document.get("StackPolicy")
    if policy is not None and not isinstance(policy, dict):
        raise DeployError(f"{file}: StackPolicy is {policy!r:.60}; expected an object")
    return Stage(name, parameters, _texts(file, document, "Tags"), policy)


def _texts(file: Path, document: Mapping[str, Any], key: str) -> dict[str, str]:
    given = document.get(key, {})
    if not isinstance(given, dict):
        raise DeployError(f"{file}: {key} is {given!r:.60}; expected an object of texts")
    for name, value in given.items():
        if not isinstance(value, str):
            raise DeployError(
                f"{file}: {key}.{name} is {json.dumps(value):.60}; expected a text in quotes, "
                "numbers too: CodePipeline takes nothing else"
            )
    return dict(given)
