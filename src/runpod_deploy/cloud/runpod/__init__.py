"""RunPod over HTTP: its REST API v2, and one GraphQL query that v2 does not replace. Knows nothing of runs."""

from .client import RunPodCloud

__all__ = ["RunPodCloud"]
