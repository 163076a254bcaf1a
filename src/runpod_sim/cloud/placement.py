"""The choice of a place for a new pod. Knows stock, hosts and volumes' datacenters; knows no pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..faults.fault import Faults
from ..records.catalogue import COMMUNITY, Catalogue, Place, host_share, version_key
from ..records.problems import NO_CAPACITY, bad

Spec = dict[str, Any]


def choose(spec: Spec, volume: dict[str, Any] | None, catalogue: Catalogue, faults: Faults) -> tuple[Place, str | None]:
    """The first place with room, and its hosts' CUDA version. Raises Problem if there is none or a rule is broken."""
    check_networking(spec, catalogue)
    kind, units = _wanted(spec)
    cuda = _cuda(spec, catalogue)
    for place in _places(spec, volume, catalogue):
        facts = {"gpu": [kind], "datacenter": [place.datacenter or ""], "name": [spec["name"]]}
        if catalogue.free(place) < units or faults.on("no-stock", facts):
            continue
        return place, cuda
    raise bad(NO_CAPACITY)


def check_networking(spec: Spec, catalogue: Catalogue) -> None:
    """Raises Problem if the spec wants global networking without an NVIDIA GPU."""
    if spec["globalNetworking"] and (
        "gpu" not in spec or catalogue.gpus[spec["gpu"]["id"]]["manufacturer"] != "NVIDIA"
    ):
        raise bad("globalNetworking requires an NVIDIA GPU")


def _wanted(spec: Spec) -> tuple[str, int]:
    if "gpu" in spec:
        return spec["gpu"]["id"], spec["gpu"]["count"]
    return spec["cpu"]["id"], spec["cpu"]["vcpuCount"]


def _cuda(spec: Spec, catalogue: Catalogue) -> str | None:
    """The CUDA version of the hosts. Raises Problem if no host of this kind has what the spec needs."""
    if "cpu" in spec:
        return None
    gpu, row = spec["gpu"], catalogue.gpus[spec["gpu"]["id"]]
    vcpus, ram_gb = host_share(row)
    if gpu["count"] > row["maxCount"][spec["cloud"].lower()]:
        raise bad(NO_CAPACITY)
    if gpu.get("minVcpuCountPerGpu", 0) > vcpus or gpu.get("minRamPerGpu", 0) > ram_gb:
        raise bad(NO_CAPACITY)
    versions = list(_versions(gpu, row["cudaVersions"]))
    if not versions and (gpu.get("minCudaVersion") or gpu.get("allowedCudaVersions")):
        raise bad(NO_CAPACITY)
    return max(versions, key=version_key, default=None)


def _versions(gpu: dict[str, Any], offered: list[str]) -> Iterator[str]:
    allowed, least = gpu.get("allowedCudaVersions"), gpu.get("minCudaVersion")
    for version in offered:
        if (not allowed or version in allowed) and (not least or version_key(version) >= version_key(least)):
            yield version


def _places(spec: Spec, volume: dict[str, Any] | None, catalogue: Catalogue) -> list[Place]:
    kind, _ = _wanted(spec)
    wished = list(spec["dataCenterIds"])
    if volume is not None:
        wished = [_home(volume, wished)]
    if spec["cloud"] == COMMUNITY:
        # Community hosts belong to no datacenter, so none of them is in one that is named or has a feature.
        return [] if wished or spec["globalNetworking"] else catalogue.places(kind, COMMUNITY)
    places = {place.datacenter: place for place in catalogue.places(kind, spec["cloud"])}
    if spec["globalNetworking"]:
        able = [name for name, row in catalogue.datacenters.items() if row["globalNetwork"]]
        wished = [name for name in wished or able if name in able] or _unable(wished)
    return [places[name] for name in wished if name in places] if wished else list(places.values())


def _home(volume: dict[str, Any], wished: list[str]) -> str:
    home = str(volume["dataCenter"])
    if wished and home not in wished:
        raise bad(
            f'Network volume "{volume["id"]}" is in data center "{home}", '
            "which is not in the requested set "
            f"[{', '.join(wished)}]"
        )
    return home


def _unable(wished: list[str]) -> list[str]:
    raise bad(f"data center {', '.join(wished)} does not support global networking")
