"""The stock of GPUs, CPUs and datacenters as the catalogue shows it, under its filters. Pure: records in, JSON out.

A datacenter without room for the wanted configuration has no row, and a list without rows is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .catalogue import ORDER, SECURE, Catalogue, Place, Row

NONE = ORDER[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The configuration whose stock is asked for."""

    count: int = 1
    cloud: str = SECURE
    countries: tuple[str, ...] = ()
    """Only datacenters there; empty: everywhere."""
    takes_cuda: Callable[[str], bool] | None = None
    """Whether hosts with this CUDA version are wanted; None: with any, or with none."""

    def reaches(self, place: Place, catalogue: Catalogue) -> bool:
        """Whether the place is in one of the countries."""
        home = catalogue.datacenters.get(place.datacenter or "", {})
        return not self.countries or home.get("country") in self.countries


def gpu_stock(catalogue: Catalogue, row: Row, wanted: Wanted) -> dict[str, Any]:
    """The stock of one GPU, overall, by datacenter and by CUDA version."""
    versions = [v for v in row["cudaVersions"] if wanted.takes_cuda is None or wanted.takes_cuda(v)]
    fits = (wanted.takes_cuda is None or versions) and wanted.count <= row["maxCount"][wanted.cloud.lower()]
    places = _places(catalogue, row, wanted) if fits else []
    shown = _shown(catalogue, places, wanted.count)
    is_free = shown["availability"] != NONE
    cuda = [{"version": version, "available": is_free} for version in versions]
    return shown | ({"cudaVersions": cuda} if cuda else {})


def cpu_stock(catalogue: Catalogue, row: Row, vcpu_count: int) -> dict[str, Any]:
    """The stock of one CPU flavor, overall and by datacenter."""
    fits = vcpu_count <= row["vcpu"]["max"]
    return _shown(catalogue, catalogue.places(row["id"], SECURE) if fits else [], vcpu_count)


def datacenter_stock(catalogue: Catalogue, datacenter: str, kinds: dict[str, Row]) -> list[dict[str, Any]]:
    """The kinds that a datacenter has free."""
    return [
        {"id": kind, "name": row["name"], "availability": catalogue.level(place)}
        for kind, row in kinds.items()
        for place in catalogue.places(kind, SECURE)
        if place.datacenter == datacenter and catalogue.level(place) != NONE
    ]


def is_in(catalogue: Catalogue, row: Row, wanted: Wanted) -> bool:
    """Whether the wanted countries have this GPU at all; true if none is named."""
    return not wanted.countries or bool(_places(catalogue, row, wanted))


def _places(catalogue: Catalogue, row: Row, wanted: Wanted) -> list[Place]:
    return [place for place in catalogue.places(row["id"], wanted.cloud) if wanted.reaches(place, catalogue)]


def _shown(catalogue: Catalogue, places: list[Place], count: int) -> dict[str, Any]:
    levels = {place: catalogue.level(place, count) for place in places}
    rows = [
        {"id": place.datacenter, "name": catalogue.datacenters[place.datacenter]["name"], "availability": level}
        for place, level in levels.items()
        if place.datacenter is not None and level != NONE
    ]
    best = max(levels.values(), key=ORDER.index, default=NONE)
    return {"availability": best} | ({"dataCenters": rows} if rows else {})
