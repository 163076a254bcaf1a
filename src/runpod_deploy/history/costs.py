"""What a run cost, phase by phase, and what the pods that runs left go on costing. Pure; knows no price."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..spec.instants import parse_instant
from .manifests import Manifest, finite_number, mappings

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """One phase of a run: when it began after the first one, how long it took, what it cost."""

    name: str
    began_at: str
    duration_s: float | None
    """None while it lasts, or if it never ended."""
    cost_usd: float | None
    """What pods cost meanwhile; None if it is unknown."""


def phase_costs(manifest: Manifest) -> list[PhaseCost]:
    """The phases of a run with what each cost at the real rate; empty for runs without phases."""
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
    """What the pod that the run left goes on costing a day; None if it left none, or an older tool does not say."""
    return finite_number(manifest, "left_usd_per_day") if manifest.get("state") == "finished" else None


def was_left_stopped(manifest: Manifest) -> bool:
    """Whether that pod is stopped, so that only its disk costs."""
    return manifest.get("pod_final_state") == "EXITED"


@dataclass(slots=True)
class LeftPods:
    """What the pods that runs have left cost a day. Of several runs of one pod the last has the word on it."""

    words: dict[str, tuple[datetime, float, bool]] = field(default_factory=dict)
    """By pod that a run left, took up or discarded: when that was so, USD a day, whether it is stopped."""

    def add(self, manifest: Manifest) -> None:
        """One more run has had its word."""
        at = parse_instant(manifest.get("finished_at_utc")) or parse_instant(manifest.get("started_at_utc")) or LONG_AGO
        usd = left_pod_usd_per_day(manifest)
        if usd is not None or manifest.get("pod_resumed") is True:
            self._note(manifest.get("pod_id"), (at, usd or 0.0, was_left_stopped(manifest)))
        discarded = manifest.get("discarded_pods")
        for pod_id in discarded if isinstance(discarded, list) else []:
            self._note(pod_id, (at, 0.0, True))

    def _note(self, pod_id: object, word: tuple[datetime, float, bool]) -> None:
        if isinstance(pod_id, str):
            self.words[pod_id] = max(word, self.words.get(pod_id, word))

    def usd_per_day(self, *, stopped: bool) -> float | None:
        """What all that are stopped, or all that run, cost a day; None if there are none."""
        costs = [usd for _, usd, is_off in self.words.values() if usd and is_off is stopped]
        return sum(costs) if costs else None
