"""`runpod_deploy.orchestrator` of the earlier tool."""

from runpod_deploy.api import run_job
from runpod_deploy.api.compat.modules import moved

__all__ = ["run_job"]

moved("runpod_deploy.orchestrator")
