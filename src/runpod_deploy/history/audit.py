"""Pods of this tool that should not exist. Pure: pods, runs and the time in, suspects out; deletes nothing.

A pod is only called a leftover on evidence: the journal of its run, or the deadlines in its own environment. The pod of
a run that a process is working on is never a leftover, and neither is a pod that is not labelled as ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..cloud.pod_labels import PodOrigin, origin
from ..cloud.values import Pod
from .known_runs import KnownRun

BOOT_GRACE = timedelta(seconds=10)
DEADLINE_GRACE = timedelta(minutes=2)
"""Time for the driver or the guard to act by themselves, and for clocks that differ."""

LEFTOVERS = ("over", "past_deadline", "never_booted")
"""Reasons that allow deleting a pod. The others are for a person to decide: driver_gone, unknown, by_name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectPod:
    """One pod that perhaps should not exist."""

    pod: Pod
    run_id: str
    reason: str
    """One of LEFTOVERS, or driver_gone, unknown, by_name."""
    explanation: str

    @property
    def leftover(self) -> bool:
        """Whether the evidence is enough to delete it."""
        return self.reason in LEFTOVERS


def audit(pods: Iterable[Pod], runs: Sequence[KnownRun], now: datetime) -> list[SuspectPod]:
    """The suspects among the pods, leftovers first."""
    suspects = [suspect for pod in pods if (suspect := judge(pod, runs, now)) is not None]
    return sorted(suspects, key=lambda suspect: not suspect.leftover)


def judge(pod: Pod, runs: Sequence[KnownRun], now: datetime) -> SuspectPod | None:
    """The pod as a suspect; None if it may exist, or is not ours."""
    ours = origin(pod)
    known = [run for run in runs if concerns(run, pod, ours)]
    if any(run.held for run in known) or (ours is None and not known):
        return None
    if known:
        verdict = by_journal(pod, max(known, key=begun_at), ours, now)
    else:
        assert ours is not None
        verdict = by_labels(pod, ours, now)
    if verdict is None:
        return None
    reason, explanation = verdict
    return SuspectPod(
        pod=pod, run_id=ours.run_id if ours else known[-1].state.run_id or "", reason=reason, explanation=explanation
    )


def concerns(run: KnownRun, pod: Pod, ours: PodOrigin | None) -> bool:
    """Whether this is a pod of that run."""
    state = run.state
    if pod.id in (state.pod.id, state.pod.discarding, *state.pod.abandoned):
        return True
    return ours is not None and state.run_id == ours.run_id


def begun_at(run: KnownRun) -> float:
    """The start of the run, by which runs that used the same pod are ordered."""
    return run.state.started_at.timestamp() if run.state.started_at else 0.0


def by_journal(pod: Pod, run: KnownRun, ours: PodOrigin | None, now: datetime) -> tuple[str, str] | None:
    """Reason and explanation, from the journal of a run that no process is working on."""
    state = run.state
    if pod.id in state.pod.abandoned:
        return "over", "it never booted, and its run gave it up"
    if state.pod.id is not None and pod.id != state.pod.id:
        return "over", f"a second pod of its run, whose journal names {state.pod.id}"
    if state.end.released:
        return after_release(pod, state.end.release_action or "")
    if state.end.finished:
        return "over", "its run has ended without a confirmed release"
    if not has_booted(pod) and state.pod.address is None:
        return "never_booted", "its driver is gone and it never answered"
    if pod.status == "EXITED":
        return "driver_gone", f"stopped, perhaps with results on it: get them with `runpod-deploy resume {run.path}`"
    if is_past(state.pod.guard_deadline_at or state.cost.stop_at or (ours.deadline_at if ours else None), now):
        return "past_deadline", "its driver is gone and its time is up"
    if state.end.detached:
        return None
    return "driver_gone", f"its driver is gone: continue with `runpod-deploy resume {run.path}`"


def after_release(pod: Pod, action: str) -> tuple[str, str] | None:
    """Reason and explanation for a pod that its run has released with that action."""
    if action == "delete":
        return "over", "its run deleted it, but it still exists"
    if action == "preserve" or pod.status == "EXITED":
        return None
    return "driver_gone", "its run stopped it, but somebody has started it again"


def by_labels(pod: Pod, ours: PodOrigin, now: datetime) -> tuple[str, str] | None:
    """Reason and explanation, from the labels of a pod that no journal here mentions."""
    if pod.status == "EXITED":
        return None
    if not ours.labelled:
        return "by_name", "its name looks like a run id, but nothing else says that it is ours"
    if not has_booted(pod) and ours.boot_deadline_at and now > ours.boot_deadline_at + BOOT_GRACE:
        return "never_booted", "it never booted, and its driver did not delete it"
    if is_past(ours.deadline_at, now):
        return "past_deadline", "its time is up"
    return "unknown", "no run on this machine knows it: it may belong to a run on another machine"


def is_past(deadline: datetime | None, now: datetime) -> bool:
    """Whether the deadline has passed, and the time to act on it as well."""
    return deadline is not None and now > deadline + DEADLINE_GRACE


def has_booted(pod: Pod) -> bool:
    """Whether its container is running, or has run before the pod was stopped."""
    return pod.uptime_s is not None or pod.status == "EXITED"


def suspect_lines(suspects: Iterable[SuspectPod], now: datetime) -> Iterable[str]:
    """The table in the layout that scripts parse."""
    yield f"{'POD_ID':16} {'STATUS':12} {'AGE_H':>8} {'$/h':>8}  {'REASON':13}  NAME"
    for row in suspect_cells(suspects, now):
        pod_id, status, age, price, reason, name, _ = row
        yield f"{pod_id:16} {status:12} {age:>8} {price:>8}  {reason:13}  {name}"


def suspect_cells(suspects: Iterable[SuspectPod], now: datetime) -> Iterable[tuple[str, ...]]:
    """Id, status, age in hours, USD per hour, reason, name and explanation of each."""
    for suspect in suspects:
        pod = suspect.pod
        age = "—" if pod.created_at is None else f"{(now - pod.created_at) / timedelta(hours=1):.2f}"
        price = "—" if pod.usd_per_hour is None else f"{pod.usd_per_hour:.2f}"
        yield pod.id, pod.status, age, price, suspect.reason, pod.name, suspect.explanation
