"""The GPUs, CPUs and datacenters of the cloud, and how many are free. Knows prices and stock; knows no pods.

The ids are the real ones of 2026; prices and stock are seeds of the right size, not quotations.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]
LEVELS = ((0, "NONE"), (4, "LOW"), (16, "MEDIUM"))
ORDER = ("NONE", "LOW", "MEDIUM", "HIGH")
# The stock of datacenters without a seed: a rehearsal should not fail by chance; `no-stock` is a fault.
PLENTY = 64
# vCPUs and GB of RAM beside one GPU, by its own memory: recorded for 32 GB (2026-08-20), else seeds.
HOST_SHARES = ((32, 12, 62), (48, 16, 94), (96, 20, 188), (1 << 20, 24, 251))
VERSION_DIGITS = 9
"""More digits than any version has; Python reads no number of thousands of digits."""
SECURE, COMMUNITY = "SECURE", "COMMUNITY"


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of GPU or CPU in one datacenter on one cloud; the datacenter of community hosts is None."""

    kind: str
    datacenter: str | None
    cloud: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRule:
    """A stock count set over /_sim/; None stands for any."""

    count: int
    gpu: str | None = None
    datacenter: str | None = None
    cloud: str | None = None

    def covers(self, place: Place) -> bool:
        """Whether the rule is about that place."""
        given = ((self.gpu, place.kind), (self.datacenter, place.datacenter), (self.cloud, place.cloud))
        return all(want is None or want == have for want, have in given)


@dataclass(slots=True)
class Catalogue:
    """Kinds and their stock; units in use are counted here."""

    gpus: dict[str, Row]
    cpus: dict[str, Row]
    datacenters: dict[str, Row]
    rules: list[StockRule] = field(default_factory=list)
    used: Counter[Place] = field(default_factory=Counter)

    def free(self, place: Place) -> int:
        """The number of GPUs (vCPUs) that are free there now."""
        for rule in reversed(self.rules):
            if rule.covers(place):
                return rule.count - self.used[place]
        return self._seed(place) - self.used[place]

    def places(self, kind: str, cloud: str) -> list[Place]:
        """The places that have this kind on this cloud, free or not."""
        if cloud == COMMUNITY:
            return [Place(kind, None, COMMUNITY)] if self._seed(Place(kind, None, COMMUNITY)) else []
        ruled = {rule.datacenter for rule in self.rules if rule.gpu in (kind, None) and rule.datacenter and rule.count}
        known = self._row(kind).get("stock", {})
        offered = known.get("secure", {}) if kind in self.gpus else known
        return [Place(kind, name, SECURE) for name in self.datacenters if name in offered or name in ruled]

    def level(self, place: Place, count: int = 1) -> str:
        """The stock level there, for pods with this many units each."""
        pods = self.free(place) // max(1, count)
        return next((word for limit, word in LEVELS if pods <= limit), "HIGH")

    def best_level(self, kind: str, cloud: str, count: int = 1) -> str:
        """The best stock level of all places."""
        return max((self.level(place, count) for place in self.places(kind, cloud)), key=ORDER.index, default="NONE")

    def price(self, kind: str, cloud: str) -> float:
        """USD per GPU (vCPU) and hour; 0 if it is not rented on that cloud."""
        if kind in self.cpus:
            return float(self.cpus[kind]["price"]["securePerVcpu"])
        return float(self.gpus[kind]["price"][cloud.lower()])

    def _row(self, kind: str) -> Row:
        return self.gpus.get(kind) or self.cpus.get(kind) or {}

    def _seed(self, place: Place) -> int:
        stock = self._row(place.kind).get("stock", {})
        if place.kind in self.cpus:
            return int(stock.get(place.datacenter, 0)) if place.cloud == SECURE else 0
        if place.cloud == COMMUNITY:
            return int(stock.get("community", 0))
        return int(stock.get("secure", {}).get(place.datacenter, 0))


def host_share(row: Row) -> tuple[int, int]:
    """The vCPUs and the GB of RAM that come with each GPU of this kind."""
    return next((vcpus, ram_gb) for limit, vcpus, ram_gb in HOST_SHARES if row["memory"] <= limit)


def load() -> Catalogue:
    """The catalogue as shipped."""
    data = json.loads((Path(__file__).parent / "catalogue.json").read_text())
    gpus, cpus, datacenters = ({row["id"]: row for row in data[name]} for name in ("gpus", "cpus", "dataCenters"))
    for row in gpus.values():
        if row["price"]["secure"]:
            row["stock"]["secure"] = dict.fromkeys(datacenters, PLENTY) | row["stock"]["secure"]
    return Catalogue(gpus, cpus, datacenters)


def version_key(version: str) -> tuple[int, ...]:
    """A CUDA version to compare with: 12.11 is above 12.2."""
    return tuple(int(part[:VERSION_DIGITS]) for part in version.split("."))
