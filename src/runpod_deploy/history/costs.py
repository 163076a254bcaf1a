"""The cost of a run by phase, and the continuing cost of the pods that runs left. Pure; knows no price."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..spec.instants import parse_instant
from .manifests import Manifest, finite_number, mappings

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """One phase of a run: its start, its duration and its cost."""

    name: str
    began_at: str
    duration_s: float | None
    """None if the phase has not ended."""
    cost_usd: float | None
    """The cost of the run's pods during the phase; None if it is unknown."""


def phase_costs(manifest: Manifest) -> list[PhaseCost]:
    """The phases of a run with their costs at the real rate; empty if the manifest has no phases."""
    return [
        PhaseCost(
            str(phase.get("name")),
            str(phase.get("started_at")),
            finite_number(phase, "duration_sec"),
            finite_number(phase, "cost_usd"),
        )
        for phase in mappings(manifest, "phases")
    ]


def left_pod_usd_per_day(manifest: Manifest) -> float | None:
    """The daily cost of the pod that the run left; None if it left none, or if an older tool did not record it."""
    return finite_number(manifest, "left_usd_per_day") if manifest.get("state") == "finished" else None


def was_left_stopped(manifest: Manifest) -> bool:
    """Whether the pod that the run left is stopped, so that only its disk is billed."""
    return manifest.get("pod_final_state") == "EXITED"


@dataclass(slots=True)
class LeftPods:
    """The daily cost of the pods that runs have left. If several runs used one pod, the last of them counts."""

    latest: dict[str, tuple[datetime, float, bool]] = field(default_factory=dict)
    """By pod that a run left, resumed or discarded: the time of that, USD per day, and whether it is stopped."""

    def add(self, manifest: Manifest) -> None:
        """Takes one more run into account."""
        at = parse_instant(manifest.get("finished_at_utc")) or parse_instant(manifest.get("started_at_utc")) or LONG_AGO
        usd = left_pod_usd_per_day(manifest)
        if usd is not None or manifest.get("pod_resumed") is True:
            self._note(manifest.get("pod_id"), (at, usd or 0.0, was_left_stopped(manifest)))
        discarded = manifest.get("discarded_pods")
        for pod_id in discarded if isinstance(discarded, list) else []:
            self._note(pod_id, (at, 0.0, True))

    def _note(self, pod_id: object, seen: tuple[datetime, float, bool]) -> None:
        if isinstance(pod_id, str):
            self.latest[pod_id] = max(seen, self.latest.get(pod_id, seen))

    def usd_per_day(self, *, stopped: bool) -> float | None:
        """The daily cost of all pods that are stopped, or of all that are running; None if there are none."""
        costs = [usd for _, usd, is_off in self.latest.values() if usd and is_off is stopped]
        return sum(costs) if costs else None
