"""The layout is the contract's, under any prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from churn_daal.contract.paths import SageMakerPaths


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hyperparameters", "/opt/ml/input/config/hyperparameters.json"),
        ("input_data_config", "/opt/ml/input/config/inputdataconfig.json"),
        ("resource_config", "/opt/ml/input/config/resourceconfig.json"),
        ("checkpoint_config", "/opt/ml/input/config/checkpointconfig.json"),
        ("model", "/opt/ml/model"),
        ("output", "/opt/ml/output"),
        ("output_data", "/opt/ml/output/data"),
        ("failure", "/opt/ml/output/failure"),
        ("checkpoints", "/opt/ml/checkpoints"),
    ],
)
def test_the_layout_is_sagemakers(name: str, expected: str) -> None:
    """Under /opt/ml each file lies where the contract has it."""
    assert getattr(SageMakerPaths(Path("/opt/ml")), name) == Path(expected)


def test_a_channel_is_a_folder_under_input_data(tmp_path: Path) -> None:
    """The prefix is the only part that a caller chooses."""
    assert SageMakerPaths(tmp_path).channel("train") == tmp_path / "input" / "data" / "train"
