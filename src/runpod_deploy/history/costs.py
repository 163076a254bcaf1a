"""What a run cost, phase by phase, and what its stopped pod goes on costing. Pure; the arithmetic is `budget`'s."""

from __future__ import annotations

from dataclasses import dataclass

from ..budget import STOPPED_STORAGE_USD_PER_GB_MONTH, disk_usd_per_day, lasting_usd
from .manifests import Manifest, mappings, number


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """One phase of a run: when it began after the first one, how long it took, what it cost."""

    name: str
    began_at: str
    duration_s: float | None
    """None while it lasts, or if it never ended."""
    cost_usd: float | None
    """None if rate or duration are unknown. Nothing is billed before the pod exists."""


UNBILLED = ("check", "choose")


def phase_costs(manifest: Manifest) -> list[PhaseCost]:
    """The phases of a run with what each cost at its real rate; empty for runs without phases."""
    rate = number(manifest, "gpu_price_per_hour_usd")
    costs = []
    for phase in mappings(manifest, "phases"):
        name, seconds = str(phase.get("name")), number(phase, "duration_sec")
        usd = 0.0 if name in UNBILLED else None if None in (rate, seconds) else lasting_usd(rate or 0.0, seconds or 0.0)
        costs.append(PhaseCost(name, str(phase.get("started_at")), seconds, usd))
    return costs


def stopped_disk_usd_per_day(manifest: Manifest) -> float | None:
    """What the disk of a pod that the run left stopped costs a day; None if the run left none, or its size is unknown.

    Only today's manifests say what became of the pod; older ones tell of its state before it was released.
    """
    size_gb = number(manifest, "volume_gb")
    left = manifest.get("state") == "finished" and manifest.get("pod_final_state") == "EXITED"
    return disk_usd_per_day(size_gb, STOPPED_STORAGE_USD_PER_GB_MONTH) if left and size_gb is not None else None
