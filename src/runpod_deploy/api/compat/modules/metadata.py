"""`runpod_deploy.metadata` of the earlier tool."""

from runpod_deploy.api import capture_local_git, capture_payload_lockfile
from runpod_deploy.api.compat.modules import moved

__all__ = ["capture_local_git", "capture_payload_lockfile"]

moved("runpod_deploy.metadata")
