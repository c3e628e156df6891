"""Prints the table of docs/hyperparameters.md."""

from churn_daal.boosting.hyperparameters.page import document

print(document(), end="")
