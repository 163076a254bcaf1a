"""The API's JSON as our values, and our request as its JSON. Pure; knows the field names of API v2 (2026-10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from math import ceil
from typing import Any

from ...spec.instants import parse_instant
from ..values import Address, Candidate, Pod, PodRequest

SSH_PORT = 22
MIN_VOLUME_GB = 10
"""The API refuses smaller persistent disks (2026-08)."""
MIN_VCPUS = 2
STALE_ADDRESS_STATUSES = ("PROVISIONING", "STARTING", "EXITED", "ERROR", "TERMINATED")
"""The statuses in which any address that is shown is out of date."""


def create_body(request: PodRequest, candidate: Candidate) -> dict[str, Any]:
    """The body of the create call. Fields whose defaults the API was seen to handle badly are always sent."""
    body: dict[str, Any] = {
        "name": request.name,
        "image": request.image,
        "cloud": candidate.cloud_type,
        "disk": disk_gb(request),
        "ports": list(request.ports),
        "env": dict(request.env),
    }
    body |= {"cpu": cpu_part(request, candidate)} if request.cpu else {"gpu": gpu_part(request, candidate)}
    optional = {
        "dataCenterIds": [candidate.datacenter_id] if candidate.datacenter_id else None,
        "mounts": mounts_part(request),
        "cmd": list(request.start_command) or None,
        "registry": request.registry_auth,
        "templateId": request.template_id,
    }
    return body | {key: value for key, value in optional.items() if value is not None}


def gpu_part(request: PodRequest, candidate: Candidate) -> dict[str, Any]:
    """The GPUs, and the minimums of their host, which are per GPU and rounded up."""
    part: dict[str, Any] = {"id": candidate.gpu_id, "count": request.gpu_count}
    if request.min_cuda_version:
        part["minCudaVersion"] = request.min_cuda_version
    if request.min_vcpu_count:
        part["minVcpuCountPerGpu"] = ceil(request.min_vcpu_count / request.gpu_count)
    if request.min_memory_gb:
        part["minRamPerGpu"] = ceil(request.min_memory_gb / request.gpu_count)
    return part


def cpu_part(request: PodRequest, candidate: Candidate) -> dict[str, Any]:
    """The CPU flavor and its number of vCPUs."""
    return {"id": candidate.gpu_id, "vcpuCount": vcpus(request.min_vcpu_count)}


def vcpus(least: int | None) -> int:
    """The smallest power of two that is at least this: only those can be rented."""
    return 1 << (max(MIN_VCPUS, least or 0) - 1).bit_length()


def mounts_part(request: PodRequest) -> dict[str, Any] | None:
    """The volume and where it is mounted."""
    if request.network_volume_id:
        return {"network": [{"volumeId": request.network_volume_id, "path": request.volume_mount}]}
    if request.volume_gb and not request.cpu:
        return {"persistent": {"size": max(MIN_VOLUME_GB, request.volume_gb), "path": request.volume_mount}}
    return None


def disk_gb(request: PodRequest) -> int:
    """The size of the container's disk in GB. A CPU pod has no other disk (2026-08), so the volume's size is added."""
    return request.container_disk_gb + (request.volume_gb or 0 if request.cpu else 0)


def as_pod(row: Mapping[str, Any]) -> Pod:
    """The pod. Raises KeyError without id or status: nothing else is vital."""
    hardware = row.get("gpu") or row.get("cpu") or {}
    mounts = row.get("mounts") or {}
    networks = mounts.get("network") or [{}]
    return Pod(
        id=str(row["id"]),
        name=str(row.get("name") or ""),
        status=str(row["status"]),
        usd_per_hour=None if row.get("cost") is None else float(row["cost"]),
        created_at=parse_instant(row.get("createdAt")),
        started_at=parse_instant(row.get("startedAt")),
        gpu_id=hardware.get("id"),
        gpu_count=int(hardware.get("count") or 1),
        datacenter_id=row.get("dataCenterId"),
        cloud_type=row.get("cloud"),
        image=row.get("image"),
        address=ssh_address(row),
        uptime_s=(row.get("runtime") or {}).get("uptime"),
        env={str(key): str(value) for key, value in (row.get("env") or {}).items()},
        volume_gb=(mounts.get("persistent") or {}).get("size"),
        container_disk_gb=row.get("disk"),
        network_volume_id=networks[0].get("volumeId"),
        raw=dict(row),
    )


def ssh_address(row: Mapping[str, Any]) -> Address | None:
    """The public address of sshd; None until the container is up.

    A pod that starts again shows its old address for half a minute (2026-08), without a runtime.
    """
    runtime = row.get("runtime") or {}
    if not runtime or row.get("status") in STALE_ADDRESS_STATUSES:
        return None
    direct = (row.get("ssh") or {}).get("direct") or {}
    if direct.get("host") and direct.get("port"):
        return Address(host=str(direct["host"]), port=int(direct["port"]))
    return next(filter(None, map(public_ssh, runtime.get("ports") or [])), None)


def public_ssh(port: Mapping[str, Any]) -> Address | None:
    """The address in a port entry, if it leads to sshd from outside; else None."""
    if port.get("private") != SSH_PORT or port.get("type") != "tcp" or not (port.get("public") and port.get("ip")):
        return None
    if not is_public(str(port["ip"])):
        return None
    return Address(host=str(port["ip"]), port=int(port["public"]))


def is_public(host: str) -> bool:
    """Whether the address can be reached from here: private and carrier-grade ranges cannot."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return True
    return parsed.is_global or parsed.is_loopback
