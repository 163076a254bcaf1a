"""Sums over many manifests. Knows which values are summed and which are unknown; knows no file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..record.paths import EVENTS_NAME, MANIFEST_NAME
from .costs import LeftPods
from .manifests import Manifest, finite_number, has_failed, is_settled


@dataclass(slots=True)
class Totals:
    """Sums so far; None until there is a value to add. Manifests without a value are counted as unknown."""

    manifests: int = 0
    """Files found, whether readable or not."""
    unreadable: int = 0
    failed: int = 0
    unknown_result: int = 0
    """Readable manifests that do not tell whether the run failed: of unfinished runs, or written by hand."""
    unfinished: int = 0
    """Runs that have not ended. Their cost until now is in the sum."""
    unreleased: int = 0
    """Runs that ended without a confirmed release of their pod, which may still be billing."""
    without_manifest: int = 0
    """Run dirs with events but without a manifest. Their cost is in no sum."""
    wall_time_s: float | None = None
    unknown_wall: int = 0
    """Readable manifests without a wall time."""
    estimated_cost_usd: float | None = None
    unknown_cost: int = 0
    """Readable manifests without an estimated cost."""
    billed_usd: float | None = None
    """The amount that RunPod has billed, as far as `billing` has recorded it."""
    billed_runs: int = 0
    """Manifests with a billed amount."""
    left: LeftPods = field(default_factory=LeftPods)
    """Pods that runs left stopped or running."""

    def add(self, manifest: Manifest | None) -> None:
        """Adds one file; None stands for a file that could not be read."""
        self.manifests += 1
        if manifest is None:
            self.unreadable += 1
            return
        failed = has_failed(manifest)
        self.failed += failed is True
        self.unknown_result += failed is None
        self.unfinished += not is_settled(manifest) and manifest.get("state") != "finished"
        self.unreleased += manifest.get("outcome") == "unreleased"
        self._add_wall_time(finite_number(manifest, "wall_time_sec"))
        self._add_bill(finite_number(manifest, "billed_usd"))
        self.left.add(manifest)
        self._add_cost(finite_number(manifest, "estimated_cost_usd"))

    def look(self, names: Sequence[str]) -> None:
        """Counts a folder with these names if it is a run dir without a manifest."""
        self.without_manifest += EVENTS_NAME in names and MANIFEST_NAME not in names

    def _add_wall_time(self, wall_s: float | None) -> None:
        self.unknown_wall += wall_s is None
        self.wall_time_s = add_known(self.wall_time_s, wall_s)

    def _add_bill(self, billed_usd: float | None) -> None:
        self.billed_runs += billed_usd is not None
        self.billed_usd = add_known(self.billed_usd, billed_usd)

    def _add_cost(self, cost_usd: float | None) -> None:
        self.unknown_cost += cost_usd is None
        self.estimated_cost_usd = add_known(self.estimated_cost_usd, cost_usd)

    def as_json(self) -> dict[str, Any]:
        """The sums under the names of the manifest's own keys."""
        return {
            "manifests": self.manifests,
            "unreadable": self.unreadable,
            "failed": self.failed,
            "unknown_result": self.unknown_result,
            "unfinished": self.unfinished,
            "unreleased": self.unreleased,
            "without_manifest": self.without_manifest,
            "wall_time_sec": rounded(self.wall_time_s),
            "unknown_wall": self.unknown_wall,
            "estimated_cost_usd": rounded(self.estimated_cost_usd),
            "unknown_cost": self.unknown_cost,
            "billed_usd": rounded(self.billed_usd),
            "billed_runs": self.billed_runs,
            "stopped_disk_usd_per_day": rounded(self.left.usd_per_day(stopped=True)),
            "running_pod_usd_per_day": rounded(self.left.usd_per_day(stopped=False)),
        }


def add_known(total: float | None, value: float | None) -> float | None:
    """The sum of the two values, as far as they are known."""
    return total if value is None else (total or 0.0) + value


def rounded(total: float | None) -> float | None:
    """The total without the rounding errors of float sums."""
    return None if total is None else round(total, 6)
