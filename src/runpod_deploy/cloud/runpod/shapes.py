"""The API's JSON as our values, and our request as its JSON. Pure; knows the field names of API v2 (2026-10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from math import ceil
from typing import Any

from ...spec.rules import RuleError, violations
from ...spec.types import CloudId
from ..values import MIN_VOLUME_GB, Address, Candidate, Pod, PodRequest
from .fields import instant_in, number_in, part_in, parts_in, size_in, text_in, whole_in

SSH_PORT = 22
UNKNOWN_STATUS = "UNKNOWN"
"""The status of a pod whose row has none that can be read. It says neither that the pod runs nor that it is gone."""
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
    """The pod. Raises KeyError without an id: any other field that is absent or makes no sense counts as unknown."""
    hardware = part_in(row, "gpu") or part_in(row, "cpu")
    mounts = part_in(row, "mounts")
    networks = parts_in(mounts, "network")
    return Pod(
        id=pod_id_in(row),
        name=text_in(row.get("name")) or "",
        status=text_in(row.get("status")) or UNKNOWN_STATUS,
        usd_per_hour=number_in(row.get("cost")),
        created_at=instant_in(row.get("createdAt")),
        started_at=instant_in(row.get("startedAt")),
        gpu_id=text_in(hardware.get("id")),
        gpu_count=gpu_count_in(row),
        datacenter_id=text_in(row.get("dataCenterId")),
        cloud_type=text_in(row.get("cloud")),
        image=text_in(row.get("image")),
        address=ssh_address(row),
        uptime_s=whole_in(part_in(row, "runtime").get("uptime")),
        env={str(key): str(value) for key, value in part_in(row, "env").items()},
        volume_gb=size_in(part_in(mounts, "persistent").get("size")),
        container_disk_gb=size_in(row.get("disk")),
        network_volume_id=text_in(networks[0].get("volumeId")) if networks else None,
        volume_mount=text_in((part_in(mounts, "persistent") or (networks[0] if networks else {})).get("path")),
        ports=tuple(map(str, row["ports"])) if isinstance(row.get("ports"), list) else None,
        registry=text_in(row.get("registry")),
        locked=row.get("locked") is True,
        raw=dict(row),
    )


def pod_id_in(row: Mapping[str, Any]) -> str:
    """The pod's id. Raises KeyError if there is none that may stand in a command or a path."""
    found = row["id"]
    if not isinstance(found, str) or any(violations(CloudId, found)):
        raise KeyError("id")
    return found


def gpu_count_in(row: Mapping[str, Any]) -> int | None:
    """The number of GPUs, which can be zero; 1 for a CPU pod, and None if the answer does not tell."""
    gpu = part_in(row, "gpu")
    if gpu:
        return whole_in(gpu.get("count"))
    return 1 if part_in(row, "cpu") else None


def ssh_address(row: Mapping[str, Any]) -> Address | None:
    """The public address of sshd; None until the container is up.

    A pod that starts again shows its old address for half a minute (2026-08), without a runtime.
    """
    if not row.get("runtime") or row.get("status") in STALE_ADDRESS_STATUSES:
        return None
    direct = part_in(part_in(row, "ssh"), "direct")
    if (address := address_in(direct.get("host"), direct.get("port"))) is not None:
        return address
    return next(filter(None, map(public_ssh, parts_in(row.get("runtime"), "ports"))), None)


def address_in(host: object, port: object) -> Address | None:
    """The address; None if host or port are absent or make no sense."""
    name, number = text_in(host), size_in(port)
    try:
        return Address(host=name, port=number) if name and number else None
    except RuleError:
        return None


def public_ssh(port: Mapping[str, Any]) -> Address | None:
    """The address in a port entry, if it leads to sshd from outside; else None."""
    address = address_in(port.get("ip"), port.get("public"))
    if whole_in(port.get("private")) != SSH_PORT or port.get("type") != "tcp" or address is None:
        return None
    return address if is_public(address.host) else None


def is_public(host: str) -> bool:
    """Whether the address can be reached from here: private and carrier-grade ranges cannot."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return True
    return parsed.is_global or parsed.is_loopback
