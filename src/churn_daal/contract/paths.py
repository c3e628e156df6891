"""Where SageMaker lays its files, under one prefix, so that a job runs the same in any folder.

The layout is rules T1 to T14 of the container contract: only the prefix is ours to choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SageMakerPaths:
    """The files and folders of one job.

    Attributes
    ----------
    base
        The prefix: `/opt/ml` in a container, any folder elsewhere.
    """

    base: Path

    @property
    def config(self) -> Path:
        """Folder of the job's configuration files."""
        return self.base / "input" / "config"

    @property
    def hyperparameters(self) -> Path:
        """File with the hyperparameters, a map of strings (T1)."""
        return self.config / "hyperparameters.json"

    @property
    def input_data_config(self) -> Path:
        """File that names the channels and their types (T3)."""
        return self.config / "inputdataconfig.json"

    @property
    def resource_config(self) -> Path:
        """File that names the hosts of the job (T4)."""
        return self.config / "resourceconfig.json"

    @property
    def checkpoint_config(self) -> Path:
        """File that says where checkpoints go, present only when they are wanted (T5)."""
        return self.config / "checkpointconfig.json"

    @property
    def input_data(self) -> Path:
        """Folder that holds one folder a channel (T7)."""
        return self.base / "input" / "data"

    def channel(self, name: str) -> Path:
        """Return the folder of one channel's data (T7)."""
        return self.input_data / name

    @property
    def model(self) -> Path:
        """Folder that becomes model.tar.gz (T10)."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """Folder of what the job leaves beside its model."""
        return self.base / "output"

    @property
    def output_data(self) -> Path:
        """Folder that becomes output.tar.gz (T10)."""
        return self.output / "data"

    @property
    def failure(self) -> Path:
        """File whose first 1,024 characters become the job's FailureReason (T11)."""
        return self.output / "failure"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints, unless the checkpoint configuration names another (T5)."""
        return self.base / "checkpoints"
