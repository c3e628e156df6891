"""What model.tar.gz holds: saved whole, audited, then loaded."""

from churn_daal.artifact.folder import check_writable, save
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.artifact.model import Model, load
from churn_daal.artifact.prepared import (
    Prepared,
    audit,
    check_unchanged,
    pack,
    prepare,
    prepare_apart,
    unpack,
)

__all__ = [
    "EngineChoice",
    "Manifest",
    "Model",
    "Prepared",
    "audit",
    "check_unchanged",
    "check_writable",
    "load",
    "pack",
    "prepare",
    "prepare_apart",
    "save",
    "unpack",
]
