"""Pods of this tool that should not exist. Pure: pods, runs and the time in, suspects out; deletes nothing.

A pod is only called a leftover on evidence: the journal of its run, or the deadlines in its own environment. A name is
no evidence: a pod belongs to a run if it bears the run's token, or, for runs of versions without tokens, if the journal
names it. The pod of a run that a process is working on is never a leftover, and neither is a pod that is not labelled
as ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..cloud.pod_labels import PodOrigin, latest, origin, token_of
from ..cloud.values import Pod
from ..money import cents
from .known_runs import KnownRun

BOOT_GRACE = timedelta(seconds=10)
LOCKED = "it is locked: unlock it in the console first"
DEADLINE_GRACE = timedelta(minutes=2)
"""Time for the driver or the guard to act by themselves, and for clocks that differ."""

LEFTOVERS = ("over", "past_deadline", "never_booted")
"""Reasons that allow deleting a pod. The others are for a person: driver_gone, unknown, by_name, left_behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectPod:
    """One pod that perhaps should not exist."""

    pod: Pod
    run_id: str
    reason: str
    """One of LEFTOVERS, or driver_gone, unknown, by_name, left_behind."""
    explanation: str
    by_id_only: bool = False
    """Whether it is only deleted if its id is given, because it may hold results of a run that is known here."""

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
    left = [run for run in runs if pod.id in run.state.request.left_behind]
    if any(run.held for run in known) or not (ours or known or left):
        return None
    last = max(known, key=begun_at, default=None)
    verdict = by_journal(pod, last, ours, now) if last else by_labels(pod, ours, now) if ours else None
    if left and (verdict is None or verdict.reason in ("unknown", "by_name")):
        verdict = Verdict("left_behind", f"{left[-1].path}: that run found it and did not use it", by_id_only=True)
    if verdict is None:
        return None
    run_id = ours.run_id if ours else (last or left[-1]).state.run_id or ""
    explanation = verdict.explanation + (f"; {LOCKED}" if pod.locked else "")
    return SuspectPod(
        pod=pod, run_id=run_id, reason=verdict.reason, explanation=explanation, by_id_only=verdict.by_id_only
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a pod is a suspect."""

    reason: str
    explanation: str
    by_id_only: bool = False


def concerns(run: KnownRun, pod: Pod, ours: PodOrigin | None) -> bool:
    """Whether this is a pod of that run: it bears the run's token, or none, and is named in the run's journal."""
    if token := token_of(pod):
        return token in (run.state.request.token, run.state.request.taken_token)
    if is_recorded(run, pod):
        return True
    return ours is not None and run.state.run_id == ours.run_id and not run.state.request.token


def is_recorded(run: KnownRun, pod: Pod) -> bool:
    """Whether the journal names this pod as one of the run's."""
    state = run.state
    return pod.id in (state.pod.id, state.pod.discarding, *state.pod.abandoned)


def is_own(run: KnownRun, pod: Pod) -> bool:
    """Whether the evidence is complete: the journal names the pod, or awaits a late one, and the tokens agree."""
    state = run.state
    if token_of(pod) not in (state.request.token, state.pod_token):
        return False
    awaited = state.pod.id is None and state.request.asked_at is not None
    return is_recorded(run, pod) or (awaited and not came_after(pod, state.end.finished_at))


def came_after(pod: Pod, instant: datetime | None) -> bool:
    """Whether the pod was created after this instant, or may have been."""
    return instant is not None and (pod.created_at is None or pod.created_at > instant)


def begun_at(run: KnownRun) -> float:
    """The start of the run, by which runs that used the same pod are ordered."""
    return run.state.started_at.timestamp() if run.state.started_at else 0.0


def by_journal(pod: Pod, run: KnownRun, ours: PodOrigin | None, now: datetime) -> Verdict | None:
    """Why the pod is a suspect, from the journal of a run that no process is working on."""
    state = run.state
    if not is_own(run, pod):
        return moved(pod, run)
    if pod.id in state.pod.abandoned:
        return Verdict("over", "it never booted, and its run gave it up")
    if state.end.released:
        return after_release(pod, state.end.release_action or "")
    if state.end.finished and not may_hold_results(run, pod):
        return Verdict("over", "its run has ended without a confirmed release")
    if not has_booted(pod) and state.pod.address is None:
        return Verdict("never_booted", "its driver is gone and it never answered")
    resume = f"`runpod-deploy resume {run.path}`"
    if pod.status == "EXITED":
        return Verdict("driver_gone", f"stopped, perhaps with results on it: get them with {resume}")
    deadline = state.pod.guard_deadline_at or latest(state.cost.stop_at, ours.deadline_at if ours else None)
    if is_past(deadline, now):
        return Verdict("past_deadline", "its driver is gone and its time is up")
    if state.end.detached and not state.end.finished:
        return None
    return Verdict("driver_gone", f"its driver is gone: continue with {resume}")


def may_hold_results(run: KnownRun, pod: Pod) -> bool:
    """Whether the run has paused this pod to keep it: perhaps only another pod's end was not confirmed."""
    state = run.state
    kept = (state.end.release_action or "delete") != "delete"
    return kept and pod.status == "EXITED" and pod.id == state.pod.id and state.job.pid is not None


def moved(pod: Pod, run: KnownRun) -> Verdict:
    """The verdict on a pod that has to do with a run here, but is not the pod that its journal names."""
    if is_recorded(run, pod):
        what = f"{run.path} names it, but it does not bear that run's token: somebody has changed it"
    else:
        recorded = f"{run.path}, whose journal names {run.state.pod.id or 'no pod'}"
        what = f"it belongs to {recorded}: RunPod may have moved the pod to a new id, with its results"
    how = f"look at it, then delete it with `runpod-deploy audit --reap --pod {pod.id}`"
    return Verdict("unknown", f"{what}; {how}", by_id_only=True)


def after_release(pod: Pod, action: str) -> Verdict | None:
    """Why a pod that its run has released with that action is a suspect."""
    if action == "delete":
        return Verdict("over", "its run deleted it, but it still exists")
    if action == "preserve" or pod.status == "EXITED":
        return None
    return Verdict("driver_gone", "its run stopped it, but somebody has started it again")


def by_labels(pod: Pod, ours: PodOrigin, now: datetime) -> Verdict | None:
    """Why a pod that no journal here mentions is a suspect, from its labels."""
    if pod.status == "EXITED":
        return None
    if not ours.labelled:
        return Verdict("by_name", "its name looks like a run id, but nothing else says that it is ours")
    if not has_booted(pod) and ours.boot_deadline_at and now > ours.boot_deadline_at + BOOT_GRACE:
        return Verdict("never_booted", "it never booted, and its driver did not delete it")
    if is_past(ours.deadline_at, now):
        return Verdict("past_deadline", "its time is up")
    return Verdict("unknown", "no run on this machine knows it: it may belong to a run on another machine")


def is_past(deadline: datetime | None, now: datetime) -> bool:
    """Whether the deadline has passed, and the time to act on it as well."""
    return deadline is not None and now > deadline + DEADLINE_GRACE


def has_booted(pod: Pod) -> bool:
    """Whether its container is running, or has run before the pod was stopped.

    An answer may lack the time since the start: a mapped SSH port tells as much.
    """
    return pod.uptime_s is not None or pod.address is not None or pod.status == "EXITED"


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
        price = "—" if pod.usd_per_hour is None else f"{cents(pod.usd_per_hour)}"
        yield pod.id, pod.status, age, price, suspect.reason, pod.name, suspect.explanation
