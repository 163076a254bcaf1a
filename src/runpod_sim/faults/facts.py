"""The facts of a request or pod, with which a fault's conditions are compared. Knows records; knows no HTTP."""

from __future__ import annotations

import json
from typing import Any

from ..records.pods import Pod
from .fault import Facts


def facts_of_pod(pod: Pod) -> Facts:
    """The facts of a pod that exists."""
    return {
        "gpu": [pod.place.kind],
        "datacenter": [pod.place.datacenter or ""],
        "name": [pod.spec["name"]],
        "pod_id": [pod.id],
    }


def facts_of_spec(spec: dict[str, Any]) -> Facts:
    """The facts of a body that asks for a pod or a volume, valid or not."""
    kinds = [kind.get("id") for kind in (spec.get("gpu"), spec.get("cpu")) if isinstance(kind, dict)]
    homes = spec.get("dataCenterIds")
    homes = homes if isinstance(homes, list) else [spec.get("dataCenter")]
    return {"gpu": kinds, "datacenter": homes, "name": [spec.get("name")]}


def facts_of_body(raw: bytes) -> Facts:
    """The facts of a request body; none if it is not a JSON object."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return facts_of_spec(body) if isinstance(body, dict) else {}
