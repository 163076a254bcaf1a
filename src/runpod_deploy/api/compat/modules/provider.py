"""`runpod_deploy.provider` of the earlier tool."""

from runpod_deploy.api import (
    PodConnection,
    StalePod,
    bulk_delete_pods,
    cleanup_pod,
    list_stale_pods,
    resolve_volume,
    select_gpu_across_datacenters,
)
from runpod_deploy.api.compat.modules import moved
from runpod_deploy.api.compat.provisioning import (
    logger,
    provision_pod,
    stop_pod,
    try_resume_pod,
    wait_for_pod_ready,
)
from runpod_deploy.api.compat.runpodctl import run_json

__all__ = [
    "PodConnection",
    "StalePod",
    "bulk_delete_pods",
    "cleanup_pod",
    "list_stale_pods",
    "logger",
    "provision_pod",
    "resolve_volume",
    "run_json",
    "select_gpu_across_datacenters",
    "stop_pod",
    "try_resume_pod",
    "wait_for_pod_ready",
]

_wait_for_pod_ready = wait_for_pod_ready
"""The name that scripts replace. Runs of this tool do not call it: use budget.ssh_ready_timeout_sec."""

moved("runpod_deploy.provider")
