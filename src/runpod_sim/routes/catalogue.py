"""/v2/catalog. Knows HTTP and the catalogue."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from ..records.catalogue import COMMUNITY, SECURE, Catalogue, Row, version_key
from ..records.problems import bad, invalid, missing
from ..records.schemas import COMPLIANCE, REGIONS, VOLUME_TYPES
from ..records.stock import Wanted, cpu_stock, datacenter_stock, gpu_stock, is_in
from ..records.view import cpu_json, datacenter_json, gpu_json
from .answers import CLOUD, answer, chosen, flag, listed, matching, number

COUNTRY, VERSION = re.compile(r"[A-Z]{2}"), re.compile(r"[0-9]+\.[0-9]+")
# A filter takes a bare major version, which a body does not.
LEAST_VERSION = re.compile(r"[0-9]+(\.[0-9]+)?")
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
    """All kinds of GPU, or those that the named countries have."""
    catalogue, wanted = request.app[CLOUD].catalogue, _wanted(request)
    rows = [row for row in catalogue.gpus.values() if wanted is None or is_in(catalogue, row, wanted)]
    return answer({"gpus": [_gpu(row, catalogue, wanted) for row in rows]})


async def gpu(request: web.Request) -> web.Response:
    """One kind."""
    catalogue = request.app[CLOUD].catalogue
    return answer(_gpu(_known(catalogue.gpus, request), catalogue, _wanted(request)))


async def cpus(request: web.Request) -> web.Response:
    """All CPU flavors."""
    catalogue, wanted = request.app[CLOUD].catalogue, _vcpu_count(request)
    return answer({"cpus": [_cpu(row, catalogue, wanted) for row in catalogue.cpus.values()]})


async def cpu(request: web.Request) -> web.Response:
    """One flavor."""
    catalogue = request.app[CLOUD].catalogue
    return answer(_cpu(_known(catalogue.cpus, request), catalogue, _vcpu_count(request)))


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
        raise missing()
    return rows[request.match_info["id"]]


def _wants_stock(request: web.Request, products: tuple[str, ...]) -> bool:
    if len(listed(request, "include")) > 1:
        raise invalid("$.include: maxItems: got 2, want 1")
    wanted = bool(chosen(request, "include", ("AVAILABILITY",)))
    if wanted != bool(chosen(request, "product", products)):
        raise bad("include=AVAILABILITY and product must be given together")
    if not wanted and any(name in request.query for name in NEEDS_INCLUDE):
        raise bad("availability filters are valid only with include=AVAILABILITY")
    return wanted


def _wanted(request: web.Request) -> Wanted | None:
    """The configuration whose stock is asked for; None if no stock is. Raises Problem."""
    if not _wants_stock(request, ("POD", "CLUSTER", "SERVERLESS")):
        return None
    cloud = request.query.get("cloud", SECURE)
    if cloud not in (SECURE, COMMUNITY):
        raise invalid("$.cloud: value must be one of 'SECURE', 'COMMUNITY'")
    countries = tuple(matching(request, "countryCodes", COUNTRY))
    return Wanted(number(request, "count", 1, 1), cloud, countries, _takes_cuda(request))


def _takes_cuda(request: web.Request) -> Callable[[str], bool] | None:
    exact, least = matching(request, "cudaVersions", VERSION), matching(request, "minCudaVersion", LEAST_VERSION)
    if exact and least:
        raise bad("cudaVersions and minCudaVersion are mutually exclusive")
    if exact:
        return _one_of(exact)
    return _at_least(least[0]) if least else None


def _one_of(exact: list[str]) -> Callable[[str], bool]:
    known = {version_key(version) for version in exact}
    return lambda version: version_key(version) in known


def _at_least(least: str) -> Callable[[str], bool]:
    return lambda version: version_key(version) >= version_key(least)


def _gpu(row: Row, catalogue: Catalogue, wanted: Wanted | None) -> dict[str, Any]:
    return gpu_json(row) | ({} if wanted is None else gpu_stock(catalogue, row, wanted))


def _vcpu_count(request: web.Request) -> int | None:
    """The size whose stock is asked for; None if no stock is. Raises Problem."""
    if not _wants_stock(request, ("POD", "SERVERLESS")):
        return None
    count = number(request, "vcpuCount", 2, 2)
    if count & (count - 1):
        raise bad("vcpuCount must be a power of two")
    return count


def _cpu(row: Row, catalogue: Catalogue, vcpu_count: int | None) -> dict[str, Any]:
    return cpu_json(row) | ({} if vcpu_count is None else cpu_stock(catalogue, row, vcpu_count))


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
        if word in wanted and (stock := datacenter_stock(catalogue, row["id"], kinds)):
            shown[name] = stock
    return shown
