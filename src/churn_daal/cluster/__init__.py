"""The hosts of one training job as one: meeting, exchanging, failing and leaving together."""

from churn_daal.cluster.addresses import AskedToStopError
from churn_daal.cluster.limits import check_limits
from churn_daal.cluster.meeting import cluster
from churn_daal.cluster.network import Network
from churn_daal.cluster.world import World

__all__ = ["AskedToStopError", "Network", "World", "check_limits", "cluster"]
