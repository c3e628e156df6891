"""A part in Parquet trains the model that its rows in CSV train."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from churn_daal import training
from churn_daal.contract.paths import SageMakerPaths
from churn_daal.contract.signals import StopSignal
from churn_daal.partition import Split, split


def test_both_forms_train_one_model(
    tmp_path: Path, lay_job: Callable[..., SageMakerPaths], churn_head: str
) -> None:
    """Byte for byte, manifest included: kinds, categories and classes are learned alike."""
    raw = tmp_path / "raw.csv"
    raw.write_text(churn_head)
    models = []
    for form in ("parquet", "csv"):
        split([raw], tmp_path / form, Split(), label="Churn?", output_format=form)  # type: ignore[arg-type]
        paths = lay_job(tmp_path / f"job {form}", label="Churn?", num_round=3, max_depth=3)
        for part in ("train", "validation"):
            shutil.copytree(tmp_path / form / part, paths.channel(part), dirs_exist_ok=True)
        training.run(paths, StopSignal())
        models.append(paths.model)

    files = sorted(str(p.relative_to(models[0])) for p in models[0].rglob("*") if p.is_file())
    assert "xgboost-model" in files
    for name in files:
        assert (models[0] / name).read_bytes() == (models[1] / name).read_bytes(), name
