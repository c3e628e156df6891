"""`GET /execution-parameters`: how a batch transform job should call this server (rule B1)."""

from __future__ import annotations

from typing import Final

from churn_daal.settings import MEGABYTE, ServeSettings

# CreateTransformJob allows no more, neither a request nor all that are under way together.
MOST_MEGABYTES: Final = 100


def execution_parameters(settings: ServeSettings) -> dict[str, int | str]:
    """Return what is answered; the user's own choices where the job has any.

    Returns
    -------
    `MaxConcurrentTransforms`, one for each worker by default; `BatchStrategy`, several rows a
    request by default, as one row costs nearly as much as a thousand; `MaxPayloadInMB`, the most
    that the limit of a body and the platform allow.
    """
    concurrent = settings.max_concurrent_transforms or settings.workers
    payload = settings.max_payload_mb
    if payload is None:
        allowed = min(settings.max_content_length // MEGABYTE, MOST_MEGABYTES // concurrent)
        payload = max(1, allowed)
    return {
        "MaxConcurrentTransforms": concurrent,
        "BatchStrategy": settings.batch_strategy,
        "MaxPayloadInMB": payload,
    }
