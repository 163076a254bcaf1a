"""Pods, money and requests as one JSON object. Pure: a cloud in, a ledger out."""

from __future__ import annotations

from typing import Any

from ..clock import iso
from ..records.pods import Pod
from .cloud import Cloud


def ledger(cloud: Cloud) -> dict[str, Any]:
    """Pods, money and requests so far; at the end it is written before the simulator ends the pods that are left."""
    return {
        "pods_created": len(cloud.pods),
        "pods_left": len(cloud.left()),
        "pods": [_row(pod) for pod in cloud.pods.values()],
        "billed_usd": round(cloud.billed_usd(), 6),
        "requests": dict(sorted(cloud.requests.items())),
    }


def _row(pod: Pod) -> dict[str, Any]:
    return {
        "id": pod.id,
        "name": pod.spec["name"],
        "gpu": pod.place.kind,
        "status": pod.status,
        "created": iso(pod.created_at),
        "ended": None if pod.ended_at is None else iso(pod.ended_at),
        "how": pod.how,
    }
