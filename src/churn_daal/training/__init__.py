"""One training job: SageMaker's files in, a model folder out."""

from churn_daal.training.run import main, run

__all__ = ["main", "run"]
