"""Stopped pods, and GPUs in stock, for scripts."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from ..cloud.gpu_order import order_of
from ..cloud.removal import end, end_all
from ..cloud.stale import StalePod, stale_pods
from ..cloud.stock import DatacenterInventory, InventoryReport, inventory
from ..live import connect_cloud
from ..machine.clock import SystemClock
from ..spec import LIFECYCLE_ACTIONS, LifecycleAction
from .jobs import JobContext

__all__ = [
    "DatacenterInventory",
    "InventoryReport",
    "StalePod",
    "bulk_delete_pods",
    "cleanup_pod",
    "list_stale_pods",
    "report_gpu_inventory",
]

logger = logging.getLogger("runpod_deploy")


def cleanup_pod(
    pod_id: str,
    *,
    action: LifecycleAction,
    dry_run: bool = False,
    state_file: Path | None = None,
    volume_in_gb: int | None = None,
) -> None:
    """The pod is as the action asks, and the API has confirmed it. After a delete, the state file is removed, too.

    volume_in_gb is accepted for older scripts and changes nothing. Raises ValueError for an unknown action,
    ReleaseUnconfirmed if the pod may still bill, AuthRefused without a key.
    """
    del volume_in_gb
    if action not in LIFECYCLE_ACTIONS:
        raise ValueError(f"unknown action {action!r}; known are {', '.join(LIFECYCLE_ACTIONS)}")
    if dry_run or action == "preserve":
        logger.info("pod %s: %s", pod_id, "left as it is" if action == "preserve" else f"would {action} it")
        return
    end(connect_cloud(), SystemClock(), pod_id, "delete" if action == "delete" else "stop")
    if action == "delete" and state_file is not None:
        state_file.unlink(missing_ok=True)


def list_stale_pods() -> list[StalePod]:
    """The stopped pods of the account and the price of their disks. Raises CloudUnreachable, AuthRefused."""
    return stale_pods(connect_cloud().list_pods(), SystemClock().now())


def bulk_delete_pods(ids: Iterable[str], *, dry_run: bool) -> list[tuple[str, bool, str]]:
    """For each pod: its id, whether the API confirmed that it is gone, and what went wrong. All pods are tried."""
    if dry_run:
        return [(pod_id, True, "would be deleted") for pod_id in ids]
    ended = end_all(connect_cloud(), SystemClock(), ids, "delete")
    return [(pod.pod_id, not pod.error, pod.error or "deleted") for pod in ended]


def report_gpu_inventory(ctx: JobContext) -> InventoryReport:
    """The stock of the job's GPUs in its datacenters. Raises CloudUnreachable, AuthRefused."""
    pod = ctx.spec.pod
    offers = connect_cloud().catalogue(
        pod.cloud_type, gpu_count=pod.gpu_count, cpu=pod.cpu is not None, vcpu_count=pod.min_vcpu_count or 2
    )
    return inventory(order_of(pod, offers).ids, pod.datacenters, offers)
