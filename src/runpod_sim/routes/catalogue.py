"""/v2/catalog. Knows HTTP and the catalogue."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..records.catalogue import Catalogue, Row, version_key
from ..records.problems import Problem, bad, invalid
from ..records.schemas import COMPLIANCE, CUDA, REGIONS, VOLUME_TYPES
from ..records.view import cpu_json, cuda_json, datacenter_json, gpu_json, kinds_json, stock_json
from .answers import CLOUD, answer, chosen, flag, listed, number

NEEDS_INCLUDE = ("count", "cloud", "countryCodes", "cudaVersions", "minCudaVersion", "vcpuCount")


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    paths = {
        "/v2/catalog/gpus": gpus,
        "/v2/catalog/gpus/{id}": gpu,
        "/v2/catalog/cpus": cpus,
        "/v2/catalog/cpus/{id}": cpu,
        "/v2/catalog/datacenters": datacenters,
        "/v2/catalog/datacenters/{id}": datacenter,
    }
    return [web.get(path, handler, allow_head=False) for path, handler in paths.items()]


async def gpus(request: web.Request) -> web.Response:
    """All kinds of GPU."""
    catalogue = request.app[CLOUD].catalogue
    return answer({"gpus": [_gpu(request, row, catalogue) for row in catalogue.gpus.values()]})


async def gpu(request: web.Request) -> web.Response:
    """One kind."""
    catalogue = request.app[CLOUD].catalogue
    return answer(_gpu(request, _known(catalogue.gpus, request), catalogue))


async def cpus(request: web.Request) -> web.Response:
    """All CPU flavors."""
    catalogue = request.app[CLOUD].catalogue
    return answer({"cpus": [_cpu(request, row, catalogue) for row in catalogue.cpus.values()]})


async def cpu(request: web.Request) -> web.Response:
    """One flavor."""
    catalogue = request.app[CLOUD].catalogue
    return answer(_cpu(request, _known(catalogue.cpus, request), catalogue))


async def datacenters(request: web.Request) -> web.Response:
    """The datacenters that pass the filters."""
    catalogue = request.app[CLOUD].catalogue
    rows = [row for row in catalogue.datacenters.values() if _passes(request, row)]
    return answer({"dataCenters": [_datacenter(request, row, catalogue) for row in rows]})


async def datacenter(request: web.Request) -> web.Response:
    """One datacenter."""
    catalogue = request.app[CLOUD].catalogue
    return answer(_datacenter(request, _known(catalogue.datacenters, request), catalogue))


def _known(rows: dict[str, Row], request: web.Request) -> Row:
    if request.match_info["id"] not in rows:
        raise Problem(404, "resource not found")
    return rows[request.match_info["id"]]


def _wants_stock(request: web.Request, products: tuple[str, ...]) -> bool:
    wanted = bool(chosen(request, "include", ("AVAILABILITY",)))
    if wanted != bool(chosen(request, "product", products)):
        raise bad("include=AVAILABILITY and product must be given together")
    if not wanted and any(name in request.query for name in NEEDS_INCLUDE):
        raise bad("availability filters are valid only with include=AVAILABILITY")
    return wanted


def _gpu(request: web.Request, row: Row, catalogue: Catalogue) -> dict[str, Any]:
    if not _wants_stock(request, ("POD", "CLUSTER", "SERVERLESS")):
        return gpu_json(row)
    cloud = (chosen(request, "cloud", ("SECURE", "COMMUNITY")) or ["SECURE"])[0]
    stock = stock_json(catalogue, row["id"], cloud, number(request, "count", 1, 1))
    if not _has_cuda(request, row):
        stock["availability"] = "NONE"
        stock["dataCenters"] = []
    if countries := listed(request, "countryCodes"):
        home = {name: place["country"] for name, place in catalogue.datacenters.items()}
        stock["dataCenters"] = [place for place in stock["dataCenters"] if home[place["id"]] in countries]
    return gpu_json(row) | stock | {"cudaVersions": cuda_json(catalogue, row, cloud)}


def _has_cuda(request: web.Request, row: Row) -> bool:
    exact, least = listed(request, "cudaVersions"), request.query.get("minCudaVersion")
    if exact and least:
        raise bad("cudaVersions and minCudaVersion are mutually exclusive")
    try:
        wanted = [version_key(version) for version in exact]
        lowest = version_key(least) if least else None
    except ValueError as error:
        raise invalid(f"$.cudaVersions: value does not match pattern '{CUDA['pattern']}'") from error
    offered = [version_key(version) for version in row["cudaVersions"]]
    if wanted:
        return any(version in wanted for version in offered)
    return lowest is None or any(version >= lowest for version in offered)


def _cpu(request: web.Request, row: Row, catalogue: Catalogue) -> dict[str, Any]:
    if not _wants_stock(request, ("POD", "SERVERLESS")):
        return cpu_json(row)
    return cpu_json(row) | stock_json(catalogue, row["id"], "SECURE", number(request, "vcpuCount", 2, 2))


def _passes(request: web.Request, row: Row) -> bool:
    regions = chosen(request, "regions", REGIONS)
    types = chosen(request, "networkVolumeTypes", VOLUME_TYPES)
    papers = chosen(request, "compliance", COMPLIANCE)
    globally = flag(request, "globalNetwork")
    return (
        (not regions or row["region"] in regions)
        and (not types or set(types) <= set(row["networkVolumeTypes"]))
        and (not papers or set(papers) <= set(row["compliance"]))
        and (globally is None or globally == row["globalNetwork"])
    )


def _datacenter(request: web.Request, row: Row, catalogue: Catalogue) -> dict[str, Any]:
    wanted = chosen(request, "include", ("GPU_AVAILABILITY", "CPU_AVAILABILITY"))
    shown = datacenter_json(row)
    for word, name, kinds in (
        ("GPU_AVAILABILITY", "gpuAvailability", catalogue.gpus),
        ("CPU_AVAILABILITY", "cpuAvailability", catalogue.cpus),
    ):
        # An empty list is left out, as the live service does.
        if word in wanted and (stock := kinds_json(catalogue, row["id"], kinds)):
            shown[name] = stock
    return shown
