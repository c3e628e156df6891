"""Clients of AWS's services for one region."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

import boto3
from botocore.config import Config

from deploy.errors import DeployError

_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 4, "mode": "standard"}
)


class Aws:
    """Clients for one region, made when they are first asked for."""

    def __init__(self, region: str) -> None:
        self._session = boto3.Session(region_name=_known(region))
        self._clients: dict[str, Any] = {}
        self.region = region
        self.partition = self._session.get_partition_for_region(region)

    def __call__(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no types
        """Return the client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_CONFIG)
        return self._clients[service]


def _known(region: str) -> str:
    session = boto3.Session()
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("sagemaker", partition)
    }
    if region in known:
        return region
    near = get_close_matches(region, known, n=1)
    raise DeployError(
        f"region {region!r} is none that has SageMaker"
        + (f"; did you mean {near[0]}?" if near else "; expected one such as eu-west-1")
    )
