"""REST v2 bodies from the older API's create inputs. Pure; knows no HTTP and creates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from ..records.catalogue import COMMUNITY, SECURE, Catalogue
from ..records.problems import NO_CAPACITY, bad
from .prices import homes, host_is_fast

Json = dict[str, Any]
DISK_GB = 20
LEAST_VOLUME_GB = 10
DIGITS = 9
"""Longer sizes are cut: no flavor comes in them, and Python reads no number of thousands of digits."""
CPU_FLAVOR = "cpu3c-2-4"


def gpu_bodies(given: Json, catalogue: Catalogue) -> Iterator[Json]:
    """The bodies to try, in order: each named GPU on each allowed cloud. Raises Problem if no host can fit."""
    kinds = given.get("gpuTypeIdList") or [given.get("gpuTypeId")]
    wanted = given.get("cloudType") or "ALL"
    clouds = (SECURE, COMMUNITY) if wanted == "ALL" and not _volumes(given) else (wanted.replace("ALL", SECURE),)
    body = container_body(given, catalogue) | _mounts(given)
    for kind in kinds:
        for cloud in clouds:
            if kind in catalogue.gpus and not catalogue.places(kind, cloud):
                continue
            yield body | {"gpu": {"id": kind} | _gpu_needs(given), "cloud": cloud}


def _gpu_needs(given: Json) -> Json:
    """What a GPU pod asks of its host; the older API's figures are for the whole pod."""
    count = 1 if given.get("gpuCount") is None else given["gpuCount"]
    needs = {name: given[name] for name in ("allowedCudaVersions", "minCudaVersion") if given.get(name)}
    for name, old in (("minVcpuCountPerGpu", "minVcpuCount"), ("minRamPerGpu", "minMemoryInGb")):
        if (given.get(old) or 0) > 0 and count > 0:
            needs[name] = ceil(given[old] / count)
    return {"count": count} | needs


def cpu_body(given: Json, catalogue: Catalogue) -> Json:
    """The body for a CPU pod, whose flavor is written `<id>-<vCPUs>-<GB>`. Raises Problem."""
    flavor, units = cpu_size(given.get("instanceId") or CPU_FLAVOR, catalogue)
    cloud = (given.get("cloudType") or SECURE).replace("ALL", SECURE)
    body = container_body(given, catalogue) | _mounts(given | {"volumeInGb": 0})
    return body | {"cpu": {"id": flavor, "vcpuCount": units}, "cloud": cloud}


def cpu_size(instance_id: str, catalogue: Catalogue) -> tuple[str, int]:
    """The flavor and its vCPUs. Raises Problem if the flavor comes in no such size."""
    flavor, _, rest = instance_id.partition("-")
    units, _, ram_gb = rest.partition("-")
    row = catalogue.cpus.get(flavor)
    if row is None or not units.isdecimal() or ram_gb != str(row["ramGbPerVcpu"] * int(units[:DIGITS])):
        raise bad(f'CPU instance "{instance_id}" does not exist')
    return flavor, int(units[:DIGITS])


def container_body(given: Json, catalogue: Catalogue) -> Json:
    """The part of a body that is not about GPUs, CPUs and clouds."""
    body: Json = {
        "name": given.get("name") or (given.get("imageName") or "pod").rpartition("/")[2].partition(":")[0],
        "image": given.get("imageName"),
        "args": given.get("dockerArgs"),
        "disk": given.get("containerDiskInGb") or (None if given.get("templateId") else DISK_GB),
        "env": {row["key"]: row["value"] for row in given.get("env") or []} or None,
        "ports": [port.strip() for port in (given.get("ports") or "").split(",") if port.strip()] or None,
        "registry": given.get("containerRegistryAuthId"),
        "templateId": given.get("templateId"),
        "startSsh": given.get("startSsh"),
        "startJupyter": given.get("startJupyter"),
        "globalNetworking": given.get("globalNetwork"),
        "dataCenterIds": _homes(given, catalogue),
    }
    return {name: value for name, value in body.items() if value not in (None, "")}


def _homes(given: Json, catalogue: Catalogue) -> list[str] | None:
    """The datacenters to choose from; None: all. Raises Problem if none of them passes the filters."""
    if not host_is_fast(given):
        raise bad(NO_CAPACITY)
    named = homes(catalogue, given)
    if named == []:
        raise bad(NO_CAPACITY)
    return named


def _volumes(given: Json) -> list[Json]:
    """The network volumes to mount, in the form of the newer API. Raises Problem."""
    path = given.get("volumeMountPath") or "/workspace"
    mounts = [{"volumeId": given["networkVolumeId"], "path": path}] if given.get("networkVolumeId") else []
    for mount in given.get("volumeMounts") or []:
        if mount.get("volumeType") == "OBJECT_STORE_VOLUME":
            raise bad("global volumes cannot be mounted here")
        mounts.append({"volumeId": mount["volumeId"], "path": mount["mountPath"]})
    return mounts


def _mounts(given: Json) -> Json:
    if network := _volumes(given):
        return {"mounts": {"network": network}}
    if size := given.get("volumeInGb"):
        # Smaller ones were raised for callers of the older API.
        path = given.get("volumeMountPath") or "/workspace"
        return {"mounts": {"persistent": {"size": max(LEAST_VOLUME_GB, size) if size > 0 else size, "path": path}}}
    return {}


def template_body(given: Json) -> Json:
    """A template of the newer API."""
    size = given["volumeInGb"]
    mount = {"size": max(LEAST_VOLUME_GB, size), "path": given.get("volumeMountPath") or "/workspace"}
    return {
        "name": given["name"],
        "image": given["imageName"],
        "args": given["dockerArgs"],
        "disk": given["containerDiskInGb"],
        "mounts": {"persistent": mount} if size else {},
        "ports": [port for port in (given.get("ports") or "").split(",") if port],
        "env": {row["key"]: row["value"] for row in given["env"]},
        "registry": given.get("containerRegistryAuthId") or None,
        "serverless": bool(given.get("isServerless")),
        "public": bool(given.get("isPublic")),
    }
