"""The template's functions, worked out for given parameters, as CloudFormation does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Resolved = dict[str, dict[str, Any]]
_NOTHING = object()
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}


def resolved(template: Mapping[str, Any], parameters: Mapping[str, str]) -> Resolved:
    """Return the resources that are made, by logical id.

    A reference to a resource is its logical id, an attribute `Id.Attribute`.
    """
    defaults = {
        name: str(definition["Default"])
        for name, definition in template["Parameters"].items()
        if "Default" in definition
    }
    worked = _Working(template, {**defaults, **parameters, **_PSEUDO})
    return {
        name: worked.value(resource)
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or worked.condition(resource["Condition"])
    }


class _Working:
    def __init__(self, template: Mapping[str, Any], known: Mapping[str, str]) -> None:
        self.template, self.known = template, known

    def condition(self, name: str) -> bool:
        return self.holds(self.template["Conditions"][name])

    def holds(self, expression: Mapping[str, Any]) -> bool:
        [(function, arguments)] = expression.items()
        if function == "Condition":
            return self.condition(arguments)
        if function == "Fn::Equals":
            left, right = map(self.value, arguments)
            return str(left) == str(right)
        inner = [self.holds(argument) for argument in arguments]
        return {"Fn::And": all(inner), "Fn::Or": any(inner), "Fn::Not": not inner[0]}[function]

    def value(self, given: Any) -> Any:  # noqa: ANN401
        if isinstance(given, list):
            return [one for one in map(self.value, given) if one is not _NOTHING]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            [(name, arguments)] = given.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self.function(name, arguments)
        worked = {key: self.value(inner) for key, inner in given.items()}
        return {key: inner for key, inner in worked.items() if inner is not _NOTHING}

    def function(self, name: str, arguments: Any) -> Any:  # noqa: ANN401
        if name == "Ref":
            return self.reference(arguments)
        if name == "Fn::Sub":
            return re.sub(r"\$\{([\w:.]+)\}", self._part, arguments)
        if name == "Fn::If":
            condition, yes, no = arguments
            return self.value(yes if self.condition(condition) else no)
        assert name == "Fn::GetAtt", name
        # The endpoint's name is its own property; others have what AWS would make up.
        made = self.template["Resources"][arguments[0]]["Properties"]
        if arguments[1] in made:
            return self.value(made[arguments[1]])
        return ("arn:aws:made-up:" if arguments[1] == "Arn" else "") + ".".join(arguments)

    def reference(self, name: str) -> Any:  # noqa: ANN401
        if name == "AWS::NoValue":
            return _NOTHING
        return self.known.get(name, name)

    def _part(self, found: re.Match[str]) -> str:
        name, dot, attribute = found[1].partition(".")
        if dot:
            return str(self.value({"Fn::GetAtt": [name, attribute]}))
        return str(self.reference(name))
