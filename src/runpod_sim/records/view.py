"""Pods and kinds as the API shows them. Pure: records in, JSON out."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from ..clock import iso, now
from .bent import bent
from .catalogue import Row
from .pods import ERROR, EXITED, RUNNING, UP, Pod

ACTIONS = {
    "PROVISIONING": ["stop", "terminate"],
    "STARTING": ["stop", "terminate"],
    RUNNING: ["stop", "restart", "terminate"],
    EXITED: ["start", "terminate"],
    ERROR: ["start", "terminate"],
    "TERMINATED": [],
}
# An internal port that the live service lists though nobody asked for it (recorded 2026-08-20).
INTERNAL_PORT = 19123


def pod_json(pod: Pod) -> dict[str, Any]:
    """The Pod of the API."""
    spec = pod.spec
    body: dict[str, Any] = {name: spec[name] for name in ("name", "image", "args", "disk", "mounts", "ports", "env")}
    body |= {name: spec[name] for name in ("entrypoint", "cmd") if name in spec}
    body |= _compute(pod)
    body |= {
        "id": pod.id,
        "status": pod.shown_status,
        "actions": ACTIONS[pod.shown_status],
        "registry": spec["registry"],
        "cloud": spec["cloud"],
        "dataCenterId": pod.place.datacenter,
        "cudaVersion": pod.cuda,
        "ssh": {"proxy": _proxy(pod), "direct": _direct(pod)},
        "template": None,
        "cost": pod.usd_per_hour if pod.status in UP else 0.0,
        "locked": spec["locked"],
        "runtime": runtime_json(pod),
        "globalNetworking": _networking(pod),
        "createdAt": iso(pod.created_at),
        "startedAt": None if pod.started_at is None else iso(pod.started_at),
    }
    return bent(body, pod)


def runtime_json(pod: Pod) -> dict[str, Any] | None:
    """The pod's runtime; None until its ports are mapped."""
    if pod.status != RUNNING or pod.shown_port(now()) is None:
        return None
    busy = busy_percent(time.time())
    gpus = [{"util": busy, "memoryUtil": busy // 2}] * (pod.units if pod.is_gpu else 0)
    uptime = 0 if pod.up_at is None else max(0, int(now() - pod.up_at))
    return {
        "uptime": uptime,
        "gpus": gpus,
        "cpu": {"util": 0},
        "memory": {"util": 0},
        "ports": ports_json(pod),
    }


def busy_percent(at: float) -> int:
    """The utilization of every GPU: a number that changes each second, by the formula of the pod's nvidia-smi."""
    return int(at) % 60 * 7 % 40 + 55


def gpu_uuid(pod: Pod, number: int | str = "") -> str:
    """The id of one of the pod's GPUs, or what the ids of all of them begin with."""
    text = hashlib.sha256(pod.id.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:31]}" + (f"-{number}" if number != "" else "")


def ports_json(pod: Pod) -> list[dict[str, Any]]:
    """The pod's ports; where pods share the machine's network, all but SSH keep their own number."""
    rows = []
    for text in pod.spec["ports"]:
        number, _, kind = text.partition("/")
        private = int(number)
        public = pod.shown_port(now()) if text == "22/tcp" else pod.public_ports.get(text, private)
        address = "127.0.0.1" if kind == "tcp" else "100.65.14.155"
        rows.append({"private": private, "public": public, "type": kind, "ip": address})
    return [
        *rows,
        {
            "private": INTERNAL_PORT,
            "public": 60000 + INTERNAL_PORT % 1000,
            "type": "http",
            "ip": "100.65.14.155",
        },
    ]


def memory_gb(pod: Pod) -> int:
    """The pod's RAM."""
    return int(pod.spec["gpu" if pod.is_gpu else "cpu"]["memory"])


def vcpu_count(pod: Pod) -> int:
    """The pod's vCPUs."""
    return int(pod.spec["gpu" if pod.is_gpu else "cpu"]["vcpuCount"])


def _compute(pod: Pod) -> dict[str, Any]:
    size = {"vcpuCount": vcpu_count(pod), "memory": memory_gb(pod)}
    if pod.is_gpu:
        return {"gpu": {"id": pod.place.kind, "count": pod.units} | size}
    return {"cpu": {"id": pod.place.kind} | size}


def _proxy(pod: Pod) -> dict[str, Any]:
    user = f"{pod.id}-{pod.token}"
    return {"host": "ssh.runpod.io", "port": 22, "username": user, "command": f"ssh {user}@ssh.runpod.io"}


def _direct(pod: Pod) -> dict[str, Any] | None:
    if runtime_json(pod) is None or "22/tcp" not in pod.spec["ports"]:
        return None
    port = pod.shown_port(now())
    command = f"ssh root@127.0.0.1 -p {port}"
    return {"host": "127.0.0.1", "port": port, "username": "root", "command": command}


def _networking(pod: Pod) -> dict[str, Any]:
    if not pod.spec["globalNetworking"]:
        return {"enabled": False}
    return {"enabled": True, "ip": "10.1.0.2", "internalDns": f"{pod.id}.runpod.internal"}


def gpu_json(row: Row) -> dict[str, Any]:
    """The GpuType of the API, without its stock."""
    names = ("id", "name", "pool", "manufacturer", "memory", "price", "maxCount")
    clouds = {cloud: row["maxCount"][cloud] > 0 for cloud in ("secure", "community")}
    return {name: row[name] for name in names} | clouds


def cpu_json(row: Row) -> dict[str, Any]:
    """The CpuType of the API, without its stock."""
    return {name: row[name] for name in ("id", "name", "group", "vcpu", "ramGbPerVcpu", "price")}


def datacenter_json(row: Row) -> dict[str, Any]:
    """The DataCenter of the API, without its stock."""
    names = ("id", "name", "region", "networkVolumeTypes", "compliance", "globalNetwork")
    return {name: row[name] for name in names}
