"""From a model folder to what answers for it."""

from __future__ import annotations

from pathlib import Path

from churn_daal import artifact
from churn_daal.errors import ArtifactError
from churn_daal.serving.invocation import ModelService
from churn_daal.serving.request import Service


def load_service(model_dir: Path, *, threads: int, outputs: tuple[str, ...] = ()) -> Service:
    """Load a model, and make sure that it answers.

    Parameters
    ----------
    model_dir
        An untarred model, read only.
    threads
        Threads one prediction may use.
    outputs
        Names of what is answered where a request names nothing; empty for the usual answer.

    Raises
    ------
    ArtifactError
        The model folder is damaged.
    UserError
        The model's objective is unknown to this release.
    """
    service = ModelService(artifact.load(model_dir, threads=threads), outputs)
    if not service.ready():
        raise ArtifactError("the model does not answer a row of missing values; train it again")
    return service
