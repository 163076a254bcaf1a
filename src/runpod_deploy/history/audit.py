"""Which pods of ours should not exist. Pure: pods, runs and the time in, findings out; deletes nothing.

A pod is only ever called a leftover on evidence: its run's journal, or the deadlines that it bears itself. A pod
of a run that a process carries out now is never one, nor is a pod that does not say that it is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..cloud.pod_labels import Provenance, provenance
from ..cloud.values import Pod
from .known_runs import KnownRun

BOOT_GRACE = timedelta(seconds=10)
DEADLINE_GRACE = timedelta(minutes=2)
"""What the driver and the guard are given to act by themselves, and clocks to differ."""

LEFTOVERS = ("over", "past_deadline", "never_booted")
"""What may be reaped. The other reasons are for a person to look at: driver_gone, unknown, by_name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectPod:
    """One pod that should perhaps not exist."""

    pod: Pod
    run_id: str
    reason: str
    """One of LEFTOVERS, or driver_gone, unknown, by_name."""
    words: str

    @property
    def leftover(self) -> bool:
        """Whether the evidence is enough to delete it."""
        return self.reason in LEFTOVERS


def audit(pods: Iterable[Pod], runs: Sequence[KnownRun], now: datetime) -> list[SuspectPod]:
    """The findings, leftovers first."""
    found = [finding for pod in pods if (finding := judge(pod, runs, now)) is not None]
    return sorted(found, key=lambda finding: not finding.leftover)


def judge(pod: Pod, runs: Sequence[KnownRun], now: datetime) -> SuspectPod | None:
    """What is wrong with this pod; None if nothing is, or it is none of ours."""
    ours = provenance(pod)
    known = [run for run in runs if concerns(run, pod, ours)]
    if any(run.held for run in known) or (ours is None and not known):
        return None
    if known:
        verdict = by_journal(pod, max(known, key=begun_at), ours, now)
    else:
        assert ours is not None
        verdict = by_marks(pod, ours, now)
    if verdict is None:
        return None
    reason, words = verdict
    return SuspectPod(pod=pod, run_id=ours.run_id if ours else known[-1].state.run_id or "", reason=reason, words=words)


def concerns(run: KnownRun, pod: Pod, ours: Provenance | None) -> bool:
    """Whether this is a pod of that run."""
    state = run.state
    if pod.id in (state.pod.id, state.pod.discarding, *state.pod.abandoned):
        return True
    return ours is not None and state.run_id == ours.run_id


def begun_at(run: KnownRun) -> float:
    """When the run began, for the order of runs that shared a pod."""
    return run.state.started_at.timestamp() if run.state.started_at else 0.0


def by_journal(pod: Pod, run: KnownRun, ours: Provenance | None, now: datetime) -> tuple[str, str] | None:
    """Reason and words, from what the run's journal says; no process carries the run out."""
    state = run.state
    if pod.id in state.pod.abandoned:
        return "over", "it never booted and was given up"
    if state.pod.id is not None and pod.id != state.pod.id:
        return "over", f"a second pod of its run; the journal has {state.pod.id}"
    if state.end.released:
        return released(pod, state.end.release_action or "")
    if state.end.finished:
        return "over", "its run has ended without a confirmed release"
    if not has_booted(pod) and state.pod.address is None:
        return "never_booted", "its driver is gone and it never answered"
    if pod.status == "EXITED":
        return "driver_gone", f"paused, maybe with results: `runpod-deploy resume {run.path}` says what became of it"
    if is_past(state.pod.guard_deadline_at or state.cost.stop_at or (ours.deadline_at if ours else None), now):
        return "past_deadline", "its driver is gone and its time is up"
    return None if state.end.detached else ("driver_gone", f"go on with `runpod-deploy resume {run.path}`")


def released(pod: Pod, action: str) -> tuple[str, str] | None:
    """Reason and words for a pod that its run has released in that way."""
    if action == "delete":
        return "over", "its run deleted it, and it is still there"
    if action == "preserve" or pod.status == "EXITED":
        return None
    return "driver_gone", "its run stopped it, and somebody has started it again"


def by_marks(pod: Pod, ours: Provenance, now: datetime) -> tuple[str, str] | None:
    """Reason and words, from what the pod alone says; no journal here knows it."""
    if pod.status == "EXITED":
        return None
    if not ours.marked:
        return "by_name", "named like a run, but nothing in it says that it is ours"
    if not has_booted(pod) and ours.boot_deadline_at and now > ours.boot_deadline_at + BOOT_GRACE:
        return "never_booted", "it never booted, and its driver did not delete it"
    if is_past(ours.deadline_at, now):
        return "past_deadline", "its time is up"
    return "unknown", "no run here knows it: it may be carried out elsewhere"


def is_past(deadline: datetime | None, now: datetime) -> bool:
    """Whether whoever should have acted has had the time to."""
    return deadline is not None and now > deadline + DEADLINE_GRACE


def has_booted(pod: Pod) -> bool:
    """Whether its container was ever seen to run, or it was stopped since."""
    return pod.uptime_s is not None or pod.status == "EXITED"


def suspect_lines(findings: Iterable[SuspectPod], now: datetime) -> Iterable[str]:
    """The table as scripts may parse it."""
    yield f"{'POD_ID':16} {'STATUS':12} {'AGE_H':>8} {'$/h':>8}  {'REASON':13}  NAME"
    for row in suspect_cells(findings, now):
        pod_id, status, age, price, reason, name, _ = row
        yield f"{pod_id:16} {status:12} {age:>8} {price:>8}  {reason:13}  {name}"


def suspect_cells(findings: Iterable[SuspectPod], now: datetime) -> Iterable[tuple[str, ...]]:
    """Id, status, age in hours, USD an hour, reason, name and words of each."""
    for finding in findings:
        pod = finding.pod
        age = "—" if pod.created_at is None else f"{(now - pod.created_at) / timedelta(hours=1):.2f}"
        price = "—" if pod.usd_per_hour is None else f"{pod.usd_per_hour:.2f}"
        yield pod.id, pod.status, age, price, finding.reason, pod.name, finding.words
