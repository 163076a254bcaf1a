"""Pods, GPUs and templates as the older API shows them. Pure: records in, JSON out."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from ..clock import iso
from ..records.catalogue import SECURE, Catalogue, Place, Row
from ..records.pods import RUNNING, UP, Pod
from ..records.view import gpu_uuid, memory_gb, runtime_json, vcpu_count
from .bodies import cpu_size
from .prices import HOST_MBPS, best, lowest_price

Json = dict[str, Any]
USER_ID = "user_simulated"


def pod_row(pod: Pod, catalogue: Catalogue, volumes: dict[str, Json]) -> Json:
    """The Pod of the older API."""
    spec, persistent = pod.spec, pod.spec["mounts"].get("persistent", {})
    volume = volumes.get(pod.volume_id() or "")
    mounts = [*spec["mounts"].get("network", []), *([persistent] if persistent else [])]
    runtime = runtime_json(pod)
    return {
        "id": pod.id,
        "name": spec["name"],
        "desiredStatus": RUNNING if pod.status in UP else "EXITED",
        "costPerHr": pod.usd_per_hour,
        "adjustedCostPerHr": pod.usd_per_hour,
        "gpuCount": pod.units if pod.is_gpu else 0,
        "gpuTypeId": pod.place.kind if pod.is_gpu else None,
        "imageName": spec["image"],
        "env": [f"{name}={value}" for name, value in spec["env"].items()],
        "ports": ",".join(spec["ports"]),
        "containerDiskInGb": spec["disk"],
        "containerRegistryAuthId": spec["registry"],
        "volumeInGb": persistent.get("size", 0),
        "volumeMountPath": mounts[0]["path"] if mounts else "/workspace",
        "memoryInGb": memory_gb(pod),
        "vcpuCount": vcpu_count(pod),
        "podType": "RESERVED",
        "machineId": machine_id(pod),
        "dockerArgs": spec["args"],
        "lastStatusChange": f"{pod.last_change}: {_javascript_date(pod.changed_at or pod.created_at)}",
        "lastStartedAt": None if pod.started_at is None else iso(pod.started_at),
        "createdAt": iso(pod.created_at),
        "uptimeSeconds": 0 if runtime is None else runtime["uptime"],
        "networkVolumeId": pod.volume_id(),
        "networkVolume": None if volume is None else volume_row(volume),
        "locked": spec["locked"],
        "consumerUserId": USER_ID,
        "version": 0,
        "runtime": None if runtime is None else _runtime(pod, runtime),
        "machine": _machine(pod, catalogue),
    }


def machine_id(pod: Pod) -> str:
    """The id of the pod's host; the same for all pods in one place."""
    return hashlib.sha256(f"{pod.place.kind} {pod.place.datacenter}".encode()).hexdigest()[:12]


def _runtime(pod: Pod, runtime: Json) -> Json:
    ports = [
        {
            "ip": port["ip"],
            "isIpPublic": port["type"] == "tcp",
            "privatePort": port["private"],
            "publicPort": port["public"],
            "type": port["type"],
        }
        for port in runtime["ports"]
    ]
    gpus = [
        {
            "id": f"GPU-{gpu_uuid(pod, number)}",
            "gpuUtilPercent": gpu["util"],
            "memoryUtilPercent": gpu["memoryUtil"],
        }
        for number, gpu in enumerate(runtime["gpus"])
    ]
    idle = {"cpuPercent": 0, "memoryPercent": 0}
    return {"uptimeInSeconds": runtime["uptime"], "ports": ports, "gpus": gpus, "container": idle}


def _machine(pod: Pod, catalogue: Catalogue) -> Json:
    home = pod.place.datacenter
    return {
        "id": machine_id(pod),
        "gpuDisplayName": catalogue.gpus[pod.place.kind]["name"] if pod.is_gpu else None,
        "gpuTypeId": pod.place.kind if pod.is_gpu else None,
        "location": catalogue.datacenters[home]["country"] if home else None,
        "podHostId": f"{pod.id}-{pod.token}",
        "dataCenterId": home,
        "secureCloud": pod.spec["cloud"] == SECURE,
        "costPerHr": pod.usd_per_hour,
        "currentPricePerGpu": pod.usd_per_hour / pod.units,
        "maxDownloadSpeedMbps": HOST_MBPS,
        "maxUploadSpeedMbps": HOST_MBPS,
        "supportPublicIp": True,
    }


def volume_row(volume: Json) -> Json:
    """A network volume."""
    return {name: volume[name] for name in ("id", "name", "size")} | {"dataCenterId": volume["dataCenter"]}


def template_row(template: Json) -> Json:
    """A template."""
    persistent = template["mounts"].get("persistent", {})
    return {
        "id": template["id"],
        "name": template["name"],
        "imageName": template["image"],
        "dockerArgs": template["args"],
        "containerDiskInGb": template["disk"],
        "volumeInGb": persistent.get("size", 0),
        "volumeMountPath": persistent.get("path", "/workspace"),
        "ports": ",".join(template["ports"]),
        "env": [{"key": name, "value": value} for name, value in template["env"].items()],
        "isServerless": template["serverless"],
        "isPublic": template["public"],
        "containerRegistryAuthId": template["registry"],
        "startSsh": template["startSsh"],
        "startJupyter": template["startJupyter"],
        "category": template["category"],
        "readme": "",
    }


def gpu_row(row: Row, catalogue: Catalogue) -> Json:
    """A kind of GPU; its stock is a field with arguments."""
    price, most = row["price"], row["maxCount"]
    return {
        "id": row["id"],
        "displayName": row["name"],
        "memoryInGb": row["memory"],
        "manufacturer": row["manufacturer"],
        "cudaCores": 0,
        "maxGpuCount": max(most.values()),
        "maxGpuCountSecureCloud": most["secure"],
        "maxGpuCountCommunityCloud": most["community"],
        "secureCloud": most["secure"] > 0,
        "communityCloud": most["community"] > 0,
        "securePrice": price["secure"],
        "communityPrice": price["community"],
        "lowestPrice": lambda _info, **given: lowest_price(row, catalogue, **(given.get("input") or {})),
    }


def flavor_row(row: Row, catalogue: Catalogue) -> Json:
    """A flavor of CPU pods; its stock is a field with arguments."""
    return {
        "id": row["id"],
        "displayName": row["name"],
        "groupName": row["group"],
        "minVcpu": row["vcpu"]["min"],
        "maxVcpu": row["vcpu"]["max"],
        "specifics": lambda _info, **given: _specifics(row, catalogue, **(given.get("input") or {})),
    }


def _specifics(row: Row, catalogue: Catalogue, **given: Any) -> Json:
    _, units = cpu_size(given.get("instanceId") or f"{row['id']}-2-{row['ramGbPerVcpu'] * 2}", catalogue)
    home = given.get("dataCenterId")
    places = [place for place in catalogue.places(row["id"], SECURE) if home in (None, place.datacenter)]
    return {"stockStatus": best(catalogue, places, units), "securePrice": catalogue.price(row["id"], SECURE) * units}


def datacenter_row(row: Row, catalogue: Catalogue) -> Json:
    """A datacenter with its stock."""
    return {
        "id": row["id"],
        "name": row["name"],
        "location": row["country"],
        "storageSupport": bool(row["networkVolumeTypes"]),
        "globalNetwork": row["globalNetwork"],
        "listed": True,
        "gpuAvailability": lambda _info, **_given: [
            _availability(gpu, place, catalogue)
            for gpu in catalogue.gpus.values()
            for place in catalogue.places(gpu["id"], SECURE)
            if place.datacenter == row["id"]
        ],
    }


def _availability(gpu: Row, place: Place, catalogue: Catalogue) -> Json:
    return {
        "id": gpu["id"],
        "available": catalogue.free(place) > 0,
        "gpuTypeId": gpu["id"],
        "gpuTypeDisplayName": gpu["name"],
        "displayName": gpu["name"],
        "stockStatus": best(catalogue, [place], 1),
    }


def _javascript_date(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")
