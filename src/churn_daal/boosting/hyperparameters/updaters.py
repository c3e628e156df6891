"""The steps of a boosting round: what lists of updaters mean and which cannot be.

XGBoost runs a given list as it stands, whatever the tree method; the lists of old jobs name steps
it has no more. A list of trees' steps is therefore taken as the tree method it amounts to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Each step that grows trees, old names included, and the tree method it is the heart of.
GROWERS = {
    "grow_colmaker": "exact",
    "distcol": "exact",
    "grow_gpu": "exact",
    "grow_histmaker": "approx",
    "grow_local_histmaker": "approx",
    "grow_skmaker": "approx",
    "grow_quantile_histmaker": "hist",
    "grow_fast_histmaker": "hist",
    "grow_gpu_hist": "hist",
}
LINEAR = {
    "shotgun": "shotgun",
    "coord_descent": "coord_descent",
    "gpu_coord_descent": "coord_descent",
}
REVISERS = frozenset({"refresh", "prune"})
_OTHERS = frozenset({"sync", *REVISERS})
_TODAY = {"exact": "grow_colmaker", "approx": "grow_histmaker"}


def updater_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a list of updaters cannot go with the kind of model and the process type."""
    given: tuple[str, ...] = values.get("updater", ())
    updating = values.get("process_type") == "update"
    linear = values.get("booster") == "gblinear"
    shown = ",".join(given)
    if linear and updating:
        yield "process_type 'update' goes over trees, and booster 'gblinear' has none."
    elif updating and not (given and REVISERS.issuperset(given)):
        came = f"is {shown!r}" if given else "is not given"
        yield f"process_type 'update' needs updater refresh, prune or both, and updater {came}."
    elif updating or not given:
        return
    elif linear and (len(given) > 1 or given[0] not in LINEAR):
        yield f"updater is {shown!r}; with booster 'gblinear' expected shotgun or coord_descent."
    elif not linear:
        yield from _growing_faults(given, shown)


def resolved(values: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Return the values with a list of updaters in today's words, and a note where they differ.

    Parameters
    ----------
    values
        Parsed values that `updater_faults` finds nothing in.
    """
    kept = dict(values)
    given: tuple[str, ...] = kept.pop("updater", ())
    if not given:
        return kept, None
    shown = ",".join(given)
    if kept.get("booster") == "gblinear":
        kept["updater"] = LINEAR[given[0]]
        return kept, None
    if kept.get("process_type") == "update":
        kept["updater"] = shown
        return kept, None
    method = next(GROWERS[step] for step in given if step in GROWERS)
    before = kept.get("tree_method", "auto")
    kept["tree_method"] = method
    # After hist a refresh leaves every leaf as it was, with sampled rows too (measured).
    if "refresh" in given and method in _TODAY:
        steps = (_TODAY[method] if step in GROWERS else step for step in given)
        kept["updater"] = ",".join(step for step in steps if step != "sync")
    place = "" if before in {"auto", method} else f", in place of {before}"
    return kept, f"updater {shown}: an old way to say tree_method {method}, which is taken{place}"


def _growing_faults(given: tuple[str, ...], shown: str) -> Iterator[str]:
    growing = [step for step in given if step in GROWERS]
    unknown = [step for step in given if step not in GROWERS and step not in _OTHERS]
    if unknown and unknown[0] in LINEAR:
        yield f"updater is {shown!r}; {unknown[0]} goes with booster 'gblinear' only."
    elif unknown:
        known = ", ".join((*GROWERS, *sorted(_OTHERS), *LINEAR))
        yield f"updater lists {unknown[0]!r}; expected some of {known}."
    elif len(growing) != 1:
        yield (
            f"updater is {shown!r}; expected one step that grows trees, such as grow_colmaker, "
            f"and it has {len(growing)}. Leave updater out and set tree_method."
        )
