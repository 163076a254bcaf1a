"""`runpod_deploy.forensics` of the earlier tool."""

from runpod_deploy.api import load_events, load_manifest, walk_run_dirs
from runpod_deploy.api.compat.modules import moved

__all__ = ["load_events", "load_manifest", "walk_run_dirs"]

moved("runpod_deploy.forensics")
