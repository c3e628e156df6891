"""Models trained elsewhere: a folder with boosters at its top and no manifest of this toolkit.

AWS's image saves `xgboost-model`, its k-fold jobs `xgboost-model-0`, `xgboost-model-1` and so on;
users' own programs save under any name. What the manifest would say is taken from the booster.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from churn_daal import engine
from churn_daal.artifact.forms import START_BYTES, fault_of, is_booster, is_pickle
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.engine.anatomy import read_anatomy, read_config
from churn_daal.errors import ArtifactError
from churn_daal.tabular import cells
from churn_daal.tabular.labels import Labels
from churn_daal.tabular.schema import Column, Schema

if TYPE_CHECKING:
    import xgboost

log = logging.getLogger(__name__)
# What this toolkit keeps in a model folder: one that has it is no foreign one, whatever it lacks.
OWN_FOLDER = "daal"
# The SDK's local mode leaves those of the job beside the unpacked files.
_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_LISTED = 10
# What AWS's image trains on is read as it is written: feature 1 of libsvm text is column 1.
_INDEX_BASE = 0
_THRESHOLD = 0.5


def is_foreign(model_dir: Path) -> bool:
    """Tell whether a folder is no model folder of this toolkit, not even a damaged one."""
    return model_dir.is_dir() and not (model_dir / OWN_FOLDER).exists()


def boosters_in(model_dir: Path, *, ensemble: bool = True) -> tuple[Path, ...]:
    """Return the boosters at a folder's top, by name.

    Archives, hidden files, sub-folders and files of other forms are passed over.

    Parameters
    ----------
    model_dir
        A foreign model's folder.
    ensemble
        Whether several answer together; if not, the first alone does.

    Raises
    ------
    ArtifactError
        There is none; a pickle or XGBoost's old binary form is named with the command that
        converts it.
    """
    files = [path for path in sorted(model_dir.iterdir()) if _may_be_model(path)]
    starts = {path: _start_of(path) for path in files}
    found = [path for path in files if is_booster(starts[path])]
    if not found:
        raise _no_booster(model_dir, starts)
    others = [path.name for path in files if path not in found]
    if others:
        log.warning("passed over in %s, as no boosters: %s", model_dir, ", ".join(others[:_LISTED]))
    if len(found) > 1 and not ensemble:
        log.info("of %d models in %s the first answers, %s", len(found), model_dir, found[0].name)
        return (found[0],)
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:_LISTED])
        log.info("%d models in %s answer together: %s", len(found), model_dir, names)
    return tuple(found)


def read_foreign(path: Path) -> xgboost.Booster:
    """Read a booster and cut it to the rounds it is to answer with.

    Raises
    ------
    ArtifactError
        XGBoost cannot read it, or it has no trees.
    """
    booster = engine.read_booster(path)
    if not booster.num_boosted_rounds():
        raise ArtifactError(f"{path}: the model has no rounds; train it, and save it again")
    return engine.to_best_round(booster)


def describe(booster: xgboost.Booster) -> Manifest:
    """Return what a manifest would say of a booster from elsewhere.

    Columns have the booster's names, else `f0`, `f1`, ... They are numbers, but for a categorical
    one whose categories' texts the booster holds (XGBoost 3.1 and later). Classes are the class
    numbers.

    Raises
    ------
    UserError
        The objective is unknown to this release.
    """
    anatomy = read_anatomy(read_config(booster))
    objective = engine.objective_named(anatomy.objective)
    names = booster.feature_names or [f"f{place}" for place in range(anatomy.n_features)]
    count = {"binary": 2, "multiclass": anatomy.n_classes}.get(objective.task, 0)
    return Manifest(
        schema=Schema(_columns(names, booster), index_base=_INDEX_BASE),
        labels=Labels(None, tuple(range(count))),
        objective=anatomy.objective,
        num_class=anatomy.n_classes,
        threshold=_THRESHOLD,
        engine=EngineChoice("onedal"),
        versions=engine.engine_versions(),
    )


def check_alike(manifests: Sequence[Manifest], paths: Sequence[Path]) -> None:
    """Refuse an ensemble of models that answer different questions.

    Raises
    ------
    ArtifactError
        Naming both files and what differs.
    """
    first = manifests[0]
    for other, path in zip(manifests[1:], paths[1:], strict=True):
        for what, one, two in (
            ("objective", first.objective, other.objective),
            ("number of classes", first.num_class, other.num_class),
            ("number of columns", first.schema.width, other.schema.width),
            ("columns", first.schema.columns, other.schema.columns),
        ):
            if one != two:
                shown = f" ({one} and {two})" if what != "columns" else ""
                raise ArtifactError(
                    f"{paths[0]} and {path.name} differ in their {what}{shown}, so they cannot "
                    "answer together; leave one model at the top of the folder, or set "
                    "SAGEMAKER_INFERENCE_ENSEMBLE=false to use the first alone"
                )


def _may_be_model(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.is_file() and not hidden and not path.name.endswith(_ARCHIVES)


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(START_BYTES)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def _no_booster(model_dir: Path, starts: dict[Path, bytes]) -> ArtifactError:
    for path, start in starts.items():
        if is_pickle(path.name, start) or start[:4] == b"binf":
            return ArtifactError(str(fault_of(path, start)))
    held = ", ".join(sorted(entry.name for entry in model_dir.iterdir())[:_LISTED]) or "nothing"
    return ArtifactError(
        f"{model_dir} has no daal/manifest.json and at its top no booster in UBJ or JSON (it "
        f"holds: {held}); the training job did not finish, or the model lies deeper: put the file "
        "that booster.save_model('model.ubj') writes at the top"
    )


def _columns(names: Sequence[str], booster: xgboost.Booster) -> tuple[Column, ...]:
    kinds = booster.feature_types or ["q"] * len(names)
    known = _categories(booster) if "c" in kinds else {}
    columns = []
    for name, kind in zip(names, kinds, strict=True):
        categories = known.get(name)
        if kind == "c" and categories is None:
            log.warning("categorical column %r has no texts in the model: send its codes", name)
        if categories is None:
            columns.append(Column(name, "number"))
        else:
            columns.append(Column(name, "category", "ordinal", categories))
    return tuple(columns)


def _categories(booster: xgboost.Booster) -> dict[str, tuple[str, ...]]:
    """Return the categories of the columns of which the booster holds the texts.

    Only those this toolkit's grammar of a cell leaves as they are.
    """
    held = booster.get_categories(export_to_arrow=True).to_arrow()
    texts = {
        name: tuple(array.to_pylist())
        for name, array in held
        if array is not None and str(array.type) in {"string", "large_string"}
    }
    return {
        name: categories
        for name, categories in texts.items()
        if all(cells.category(text) == text for text in categories)
    }
