"""What model.tar.gz holds: saved whole, audited, then loaded."""

from churn_daal.artifact.folder import check_writable, save
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.artifact.model import Model, load
from churn_daal.artifact.prepared import Prepared, audit, prepare, prepare_apart

__all__ = [
    "EngineChoice",
    "Manifest",
    "Model",
    "Prepared",
    "audit",
    "check_writable",
    "load",
    "prepare",
    "prepare_apart",
    "save",
]
