"""Rows split into train, validation and test: stratified, seeded, in bounded memory."""

from churn_daal.partition.dealing import PARTS, Split
from churn_daal.partition.splitting import split

__all__ = ["PARTS", "Split", "split"]
