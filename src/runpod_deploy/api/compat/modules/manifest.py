"""`runpod_deploy.manifest` of the earlier tool."""

from runpod_deploy.api.compat.modules import moved
from runpod_deploy.api.compat.recovery import ArtifactResult, build_pull_manifest, write_pull_manifest

__all__ = ["ArtifactResult", "build_pull_manifest", "write_pull_manifest"]

moved("runpod_deploy.manifest")
