"""What model.tar.gz holds: saved whole, audited, then loaded."""

from churn_daal.artifact.folder import audit, check_writable, save
from churn_daal.artifact.manifest import EngineChoice, Manifest
from churn_daal.artifact.model import Model, load

__all__ = ["EngineChoice", "Manifest", "Model", "audit", "check_writable", "load", "save"]
