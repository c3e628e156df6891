"""The job's hyperparameters: text in, typed and checked values out, before any data is read.

`python -m churn_daal.boosting.hyperparameters` prints the table as the documentation has it.
"""

from churn_daal.boosting.hyperparameters.parsing import Hyperparameters, parse

__all__ = ["Hyperparameters", "parse"]
