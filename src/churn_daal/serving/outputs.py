"""Which outputs a model has, and the plan of an answer made of a request and the server's setting.

The names up to `predicted_score` are those of AWS's XGBoost image; docs/outputs.md says what each
holds, and docs/compared_with_aws.md where it differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from churn_daal.artifact import Manifest
from churn_daal.errors import RequestError
from churn_daal.serving.options import Options

_BINARY: Final = ("predicted_label", "labels", "probability", "probabilities")
_RAW: Final = ("raw_score", "raw_scores")
_ANY: Final = ("margin", "contributions", "leaf")
_NAME_SHOWN: Final = 40
# Objectives whose `predicted_label` depends on a threshold.
_WITH_THRESHOLD: Final = frozenset({"binary:logistic", "binary:logitraw"})


@dataclass(frozen=True)
class Plan:
    """What to answer about each row.

    Attributes
    ----------
    outputs
        Names of columns in order; empty for the usual answer.
    absent
        Those among them that the model has not: NaN in each row, which JSON has as null.
    top_k
        Columns told of `contributions`; None for all.
    threshold
        Probability from which `predicted_label` is the positive class.
    asked
        Whether the outputs are the request's own: what cannot be answered refuses it, where the
        server's setting gets NaN.
    """

    outputs: tuple[str, ...]
    asked: bool
    absent: frozenset[str]
    top_k: int | None
    threshold: float


def outputs_of(manifest: Manifest) -> tuple[str, ...]:
    """Return the names of what a model can answer."""
    match manifest.objective.split(":"):
        case ["binary", "hinge"]:
            return ("score", "predicted_label", "labels", *_RAW, *_ANY)
        case ["binary" | "multi", _]:
            return ("score", *_BINARY, *_RAW, *_ANY)
        case _:
            return ("score", "predicted_score", *_ANY)


def plan(manifest: Manifest, options: Options, setting: Sequence[str] = ()) -> Plan:
    """Make the plan of an answer.

    Parameters
    ----------
    manifest
        Of the model.
    options
        What the request says; its outputs come before the setting's.
    setting
        The names of `SAGEMAKER_INFERENCE_OUTPUT`.

    Raises
    ------
    RequestError
        400: the request asks for an output the model has not, or for a threshold or a `top_k`
        that nothing would heed.
    """
    have = outputs_of(manifest)
    for name in options.outputs:
        if name not in have:
            raise RequestError(f"outputs: {_unknown(name, manifest)}")
    outputs = options.outputs or tuple(setting)
    if options.top_k is not None and "contributions" not in outputs:
        raise RequestError(
            f"top_k={options.top_k} in the request cuts contributions, which it does not ask for; "
            "add outputs=contributions, or leave top_k out"
        )
    if options.threshold is not None and manifest.objective not in _WITH_THRESHOLD:
        raise RequestError(
            f"threshold={options.threshold} in the request: a {manifest.objective} model answers "
            "by no threshold; leave it out"
        )
    return Plan(
        outputs=outputs,
        asked=bool(options.outputs),
        absent=frozenset(outputs).difference(have),
        top_k=options.top_k,
        threshold=manifest.threshold if options.threshold is None else options.threshold,
    )


def setting_faults(manifest: Manifest, setting: Sequence[str]) -> list[str]:
    """Return a line on each name of `SAGEMAKER_INFERENCE_OUTPUT` that the model has not."""
    have = outputs_of(manifest)
    return [
        f"SAGEMAKER_INFERENCE_OUTPUT: {_unknown(name, manifest)}. NaN is answered, in JSON null"
        for name in setting
        if name not in have
    ]


def _unknown(name: str, manifest: Manifest) -> str:
    have = outputs_of(manifest)
    near = get_close_matches(name[:_NAME_SHOWN], have, n=1, cutoff=0.8)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return (
        f"{name[:_NAME_SHOWN]!r} is not what a {manifest.objective} model answers{hint}; it "
        f"answers {', '.join(have)}"
    )
