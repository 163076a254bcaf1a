"""The lowest price of a GPU or CPU under the filters of the older API. Pure: records in, JSON out."""

from __future__ import annotations

from typing import Any

from ..records.catalogue import COMMUNITY, ORDER, SECURE, Catalogue, Place, Row, host_share
from ..records.pod_rules import HOST_DISK_GB
from ..records.problems import bad

Json = dict[str, Any]
HOST_MBPS = 1000
"""The speed of every host's network."""


def lowest_price(row: Row, catalogue: Catalogue, **given: Any) -> Json:
    """The stock and the price of the cheaper cloud, or of the named one. Raises Problem."""
    count = given["gpuCount"]
    if count < 1:
        raise bad("gpuCount must be at least 1")
    places = [place for place in _places(row, catalogue, given) if count <= row["maxCount"][place.cloud.lower()]]
    versions = _versions(row, given)
    if not _host_fits(row, given) or versions == []:
        places = []
    free = max((catalogue.free(place) for place in places), default=0)
    counts = [number for number in range(1, max(row["maxCount"].values()) + 1) if number <= free]
    prices = [catalogue.price(row["id"], place.cloud) for place in places]
    return {
        "gpuName": row["name"],
        "gpuTypeId": row["id"],
        "uninterruptablePrice": min(prices, default=None),
        "stockStatus": best(catalogue, places, count),
        "availableGpuCounts": counts,
        "maxUnreservedGpuCount": max(counts, default=0),
        "gpuTypeCudaVersions": _cuda_rows(versions or [], bool(best(catalogue, places, count))),
    }


def homes(catalogue: Catalogue, given: Json) -> list[str] | None:
    """The datacenters that pass the filters; None if there is no filter."""
    named = [given["dataCenterId"]] if given.get("dataCenterId") else given.get("dataCenterIds") or None
    country, papers, network = given.get("countryCode"), given.get("compliance"), given.get("globalNetwork")
    if named is None and not (country or papers or network):
        return None
    return [
        name
        for name in (named or catalogue.datacenters)
        if (row := catalogue.datacenters.get(name))
        and (not country or row["country"] == country)
        and set(papers or ()) <= set(row["compliance"])
        and (not network or row["globalNetwork"])
    ]


def best(catalogue: Catalogue, places: list[Place], count: int) -> str | None:
    """The best stock level of these places in the older API's words; None if there is no stock."""
    word = max((catalogue.level(place, count) for place in places), key=ORDER.index, default="NONE")
    return None if word == "NONE" else word.capitalize()


def host_is_fast(given: Json) -> bool:
    """Whether a host has the network and the disk that are asked for."""
    speeds = (given.get("minDownload") or 0, given.get("minUpload") or 0)
    return max(speeds) <= HOST_MBPS and (given.get("minDisk") or 0) <= HOST_DISK_GB


def _places(row: Row, catalogue: Catalogue, given: Json) -> list[Place]:
    secure, wanted = given.get("secureCloud"), homes(catalogue, given)
    clouds = [SECURE, COMMUNITY] if secure is None else [SECURE if secure else COMMUNITY]
    places = [place for cloud in clouds for place in catalogue.places(row["id"], cloud)]
    return [place for place in places if wanted is None or place.datacenter in wanted]


def _versions(row: Row, given: Json) -> list[str] | None:
    """The CUDA versions of the hosts that are asked for; None if the hosts have none and none is asked for."""
    exact = given.get("allowedCudaVersions") or ([given["cudaVersion"]] if given.get("cudaVersion") else [])
    if not exact:
        return list(row["cudaVersions"]) or None
    return [version for version in row["cudaVersions"] if version in exact]


def _host_fits(row: Row, given: Json) -> bool:
    vcpus, ram_gb = host_share(row)
    count = given["gpuCount"]
    enough = (given.get("minVcpuCount") or 0) <= vcpus * count and (given.get("minMemoryInGb") or 0) <= ram_gb * count
    return enough and host_is_fast(given)


def _cuda_rows(versions: list[str], is_free: bool) -> list[Json]:
    word = "AVAILABLE" if is_free else "UNAVAILABLE"
    return [{"cudaVersion": version, "availability": word} for version in versions]
