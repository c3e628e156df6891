"""The CloudFormation template: read from YAML, filled in for one model, written as JSON."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any, Final

import yaml

SOURCE: Final = Path(__file__).with_name("template.yaml")
# What CloudFormation takes in a call; a larger template goes by way of S3.
MAX_INLINE_BYTES: Final = 51_200
_DEPLOYMENT: Final = "ApiDeployment"

Template = dict[str, Any]


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """Reads the short forms of intrinsic functions, `!Ref` and the like, as their long ones."""


def _intrinsic(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def load() -> Template:
    """Return the template as it stands in the repository, without intrinsics' short forms."""
    with SOURCE.open(encoding="utf-8") as file:
        # A SafeLoader by descent: it builds nothing but the types of JSON.
        template: Template = yaml.load(file, _Loader)  # noqa: S506
    return template


def filled(template: Template, request: dict[str, Any] | None) -> Template:
    """Return the template for one model.

    Parameters
    ----------
    template
        As `load` returns it; not changed.
    request
        JSON Schema of the model's requests; None leaves the one that takes any object or array.
    """
    made = copy.deepcopy(template)
    resources = made["Resources"]
    if request is not None:
        resources["RequestModel"]["Properties"]["Schema"] = request
    parts = {k: v for k, v in resources.items() if v["Type"].startswith("AWS::ApiGateway::")}
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]
    return _renamed(made, _DEPLOYMENT, _DEPLOYMENT + digest)


def body(template: Template) -> str:
    """Return the text that CloudFormation is given; the same template gives the same text."""
    return json.dumps(template, separators=(",", ":"), ensure_ascii=False)


def _renamed(template: Template, old: str, new: str) -> Template:
    resources = template["Resources"]
    template["Resources"] = {new if name == old else name: made for name, made in resources.items()}
    replaced: Template = _references(template, old, new)
    return replaced


def _references(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        return {
            key: new
            if key in {"Ref", "DependsOn"} and inner == old
            else _references(inner, old, new)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_references(inner, old, new) for inner in value]
    return value
