"""The public Python API, a thin layer over the other folders. `runpod_deploy` itself offers all these names."""

import logging
from dataclasses import replace

from ..errors import DeployError
from ..machine.git import capture_local_git, capture_payload_lockfile
from ..spec import (
    DEFAULT_STAGING_EXCLUDES,
    LIFECYCLE_ACTIONS,
    SCHEMA_VERSION,
    STORAGE_EPHEMERAL,
    STORAGE_NETWORK_VOLUME,
    ArtifactPullSpec,
    BudgetSpec,
    CommandSpec,
    LifecycleAction,
    LifecyclePolicySpec,
    LocalSpec,
    PodSpec,
    RemoteEnvSpec,
    RsyncPushSpec,
    RunpodJobSpec,
    RunSpec,
    SecretSpec,
    SshSpec,
    StorageSpec,
    TelemetrySpec,
)
from .compat.choice import resolve_volume, select_gpu_across_datacenters
from .compat.policy import StopPolicySpec
from .compat.remote import PodConnection, RemoteResult, RemoteRunError, RemoteRunner, rsync_argv
from .jobs import JobContext, build_job_context, load_job_spec, validate_local_paths
from .pods import (
    DatacenterInventory,
    InventoryReport,
    StalePod,
    bulk_delete_pods,
    cleanup_pod,
    list_stale_pods,
    report_gpu_inventory,
)
from .prices import (
    VOLUME_STORAGE_USD_PER_GB_MONTH,
    GpuPrice,
    estimate_volume_storage_cost_usd_per_day,
    fetch_gpu_prices,
    select_price_for_pod,
)
from .records import load_events, load_manifest, walk_run_dirs
from .runs import RunFailed, RunResult, run_job

__all__ = [
    "DEFAULT_STAGING_EXCLUDES",
    "LIFECYCLE_ACTIONS",
    "SCHEMA_VERSION",
    "STORAGE_EPHEMERAL",
    "STORAGE_NETWORK_VOLUME",
    "VOLUME_STORAGE_USD_PER_GB_MONTH",
    "ArtifactPullSpec",
    "BudgetSpec",
    "CommandSpec",
    "DatacenterInventory",
    "DeployError",
    "GpuPrice",
    "InventoryReport",
    "JobContext",
    "LifecycleAction",
    "LifecyclePolicySpec",
    "LocalSpec",
    "PodConnection",
    "PodSpec",
    "RemoteEnvSpec",
    "RemoteResult",
    "RemoteRunError",
    "RemoteRunner",
    "RsyncPushSpec",
    "RunFailed",
    "RunResult",
    "RunSpec",
    "RunpodJobSpec",
    "SecretSpec",
    "SshSpec",
    "StalePod",
    "StopPolicySpec",
    "StorageSpec",
    "TelemetrySpec",
    "build_job_context",
    "bulk_delete_pods",
    "capture_local_git",
    "capture_payload_lockfile",
    "cleanup_pod",
    "estimate_volume_storage_cost_usd_per_day",
    "fetch_gpu_prices",
    "list_stale_pods",
    "load_events",
    "load_job_spec",
    "load_manifest",
    "replace",
    "report_gpu_inventory",
    "resolve_volume",
    "rsync_argv",
    "run_job",
    "select_gpu_across_datacenters",
    "select_price_for_pod",
    "validate_local_paths",
    "walk_run_dirs",
]

# The program that imports this decides where warnings go; without a decision they go nowhere.
logging.getLogger("runpod_deploy").addHandler(logging.NullHandler())
