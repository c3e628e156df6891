"""Parameters against the template's own ranges and Rules, before CloudFormation is asked.

CloudFormation checks the same. Asked here, all that is wrong is told at once, with nothing begun,
and stand-ins that know neither ranges nor Rules are held to them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from deploy.template import Template


def problems_of(template: Template, given: Mapping[str, str]) -> list[str]:
    """Return what is wrong with parameters, a text each; none where a stack can be made.

    Parameters
    ----------
    template
        With `Parameters` and `Rules`.
    given
        Values by name, as a stage's file and the command have them.
    """
    known = template["Parameters"]
    found = [_unknown(name, known) for name in given if name not in known]
    for name, definition in known.items():
        if name not in given:
            if "Default" not in definition:
                found.append(f"parameter {name} has no value: {_meant(definition)}")
            continue
        found += _faults(name, given[name], definition)
    if found:
        return found
    values = complete(template, given)
    found += _broken_rules(template, values)
    # Rules cannot compare numbers.
    low, high = values.get("MinInstanceCount", "0"), values.get("MaxInstanceCount", "0")
    if values.get("Autoscaling") == "enabled" and float(low) > float(high):
        found.append(f"MinInstanceCount {low} is more than MaxInstanceCount {high}; expected less")
    return found


def complete(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with the template's defaults for those that are not given."""
    defaults = {
        name: str(definition["Default"])
        for name, definition in template["Parameters"].items()
        if "Default" in definition
    }
    return defaults | dict(given)


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(sorted(known))}"
    return f"parameter {name} is none of the template's{hint}"


def _faults(name: str, value: str, definition: Mapping[str, Any]) -> Iterator[str]:
    allowed = [str(one) for one in definition.get("AllowedValues", ())]
    if allowed and value not in allowed:
        yield f"parameter {name} is {value!r}; expected one of: {', '.join(allowed)}"
    elif definition["Type"] == "Number":
        low, high = definition.get("MinValue"), definition.get("MaxValue")
        number = _number(value)
        if (
            number is None
            or (low is not None and number < low)
            or (high is not None and number > high)
        ):
            upper = "" if high is None else f" to {high}"
            lower = "" if low is None else f" from {low}"
            yield f"parameter {name} is {value!r}; expected a number{lower}{upper}"
    elif "AllowedPattern" in definition and not re.fullmatch(definition["AllowedPattern"], value):
        yield (
            f"parameter {name} is {value!r}; expected {_meant(definition)}"
            f" (pattern {definition['AllowedPattern']})"
        )


def _number(value: str) -> float | None:
    return float(value) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) else None


def _meant(definition: Mapping[str, Any]) -> str:
    return str(definition.get("Description", "a value")).rstrip(".")


def _broken_rules(template: Template, values: Mapping[str, str]) -> Iterator[str]:
    for rule in template.get("Rules", {}).values():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], values):
            continue
        for assertion in rule["Assertions"]:
            if not _holds(assertion["Assert"], values):
                yield assertion["AssertDescription"]


def _holds(expression: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Evaluate one of the functions that Rules may have."""
    [(function, arguments)] = expression.items()
    if function == "Fn::Equals":
        left, right = (_text(argument, values) for argument in arguments)
        return left == right
    inner = [_holds(argument, values) for argument in arguments]
    if function == "Fn::And":
        return all(inner)
    if function == "Fn::Or":
        return any(inner)
    if function == "Fn::Not":
        return not inner[0]
    raise ValueError(f"the template's Rules have {function}, which is not known here")


def _text(argument: Any, values: Mapping[str, str]) -> str:  # noqa: ANN401 - a text or a Ref
    return values[argument["Ref"]] if isinstance(argument, dict) else str(argument)
