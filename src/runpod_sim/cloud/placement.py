"""The choice of a place for a new pod. Knows stock, CUDA versions and volumes' datacenters; knows no pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..faults.fault import Faults
from ..records.catalogue import COMMUNITY, Catalogue, Place, version_key
from ..records.problems import NO_CAPACITY, Problem, bad


def choose(
    spec: dict[str, Any], volume: dict[str, Any] | None, catalogue: Catalogue, faults: Faults
) -> tuple[Place, str | None]:
    """The first place with room, and its hosts' CUDA version. Raises Problem if there is none or a rule is broken."""
    kind, units = _wanted(spec)
    cuda = _cuda(spec, catalogue)
    for place in _places(spec, volume, catalogue):
        facts = {"gpu": [kind], "datacenter": [place.datacenter or ""], "name": [spec["name"]]}
        if catalogue.free(place) < units or faults.on("no-stock", facts):
            continue
        return place, cuda
    raise Problem(400, NO_CAPACITY)


def _wanted(spec: dict[str, Any]) -> tuple[str, int]:
    if "gpu" in spec:
        return spec["gpu"]["id"], spec["gpu"]["count"]
    return spec["cpu"]["id"], spec["cpu"]["vcpuCount"]


def _cuda(spec: dict[str, Any], catalogue: Catalogue) -> str | None:
    if "cpu" in spec:
        return None
    gpu, row = spec["gpu"], catalogue.gpus[spec["gpu"]["id"]]
    if gpu["count"] > row["maxCount"][spec["cloud"].lower()]:
        raise Problem(400, NO_CAPACITY)
    versions = list(_versions(gpu, row["cudaVersions"]))
    if not versions and (gpu.get("minCudaVersion") or gpu.get("allowedCudaVersions")):
        raise Problem(400, NO_CAPACITY)
    return max(versions, key=version_key, default=None)


def _versions(gpu: dict[str, Any], offered: list[str]) -> Iterator[str]:
    allowed, least = gpu.get("allowedCudaVersions"), gpu.get("minCudaVersion")
    for version in offered:
        if (not allowed or version in allowed) and (not least or version_key(version) >= version_key(least)):
            yield version


def _places(spec: dict[str, Any], volume: dict[str, Any] | None, catalogue: Catalogue) -> list[Place]:
    kind, _ = _wanted(spec)
    wished = list(spec["dataCenterIds"])
    if volume is not None:
        home = volume["dataCenter"]
        if wished and home not in wished:
            raise bad(
                f'Network volume "{volume["id"]}" is in data center "{home}", '
                "which is not in the requested set "
                f"[{', '.join(wished)}]"
            )
        wished = [home]
    if spec["cloud"] == COMMUNITY:
        return catalogue.places(kind, COMMUNITY)
    places = {place.datacenter: place for place in catalogue.places(kind, spec["cloud"])}
    return [places[name] for name in wished if name in places] if wished else list(places.values())
