"""REST v2 bodies from the older API's create inputs. Pure; knows no HTTP and creates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..records.catalogue import COMMUNITY, SECURE, Catalogue

Json = dict[str, Any]
DISK_GB = 20
LEAST_VOLUME_GB = 10
CPU_FLAVOR = "cpu3c-2-4"


def gpu_bodies(given: Json, catalogue: Catalogue) -> Iterator[Json]:
    """The bodies to try, in order: each named GPU on each allowed cloud."""
    kinds = given.get("gpuTypeIdList") or [given.get("gpuTypeId")]
    wanted = given.get("cloudType") or "ALL"
    clouds = (SECURE, COMMUNITY) if wanted == "ALL" else (wanted,)
    for kind in kinds:
        for cloud in clouds:
            if kind in catalogue.gpus and not catalogue.places(kind, cloud):
                continue
            gpu = {"id": kind, "count": given.get("gpuCount") or 1}
            gpu |= {name: given[name] for name in ("allowedCudaVersions", "minCudaVersion") if given.get(name)}
            yield container_body(given, catalogue) | _mounts(given) | {"gpu": gpu, "cloud": cloud}


def cpu_body(given: Json, catalogue: Catalogue) -> Json:
    """The body for a CPU pod, whose flavor is written `<id>-<vCPUs>-<GB>`."""
    flavor, _, rest = (given.get("instanceId") or CPU_FLAVOR).partition("-")
    units = rest.partition("-")[0]
    cpu = {"id": flavor, "vcpuCount": int(units) if units.isdigit() else 2}
    return container_body(given, catalogue) | _mounts(given | {"volumeInGb": 0}) | {"cpu": cpu}


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
    if given.get("dataCenterId"):
        return [given["dataCenterId"]]
    if given.get("countryCode"):
        return [name for name, row in catalogue.datacenters.items() if row["country"] == given["countryCode"]]
    return None


def _mounts(given: Json) -> Json:
    path = given.get("volumeMountPath") or "/workspace"
    if given.get("networkVolumeId"):
        return {"mounts": {"network": [{"volumeId": given["networkVolumeId"], "path": path}]}}
    if given.get("volumeInGb"):
        # Smaller ones were raised for callers of the older API.
        return {"mounts": {"persistent": {"size": max(LEAST_VOLUME_GB, given["volumeInGb"]), "path": path}}}
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
