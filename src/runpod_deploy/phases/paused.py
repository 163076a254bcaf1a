"""Paused pods, started again: one of an earlier run is recycled, this run's own is reopened to fetch what it holds."""

from __future__ import annotations

from datetime import timedelta

from ..cloud.pod_labels import bears, token_of
from ..cloud.rates import disks_of, real_rate
from ..cloud.removal import is_gone
from ..cloud.values import Pod
from ..errors import CloudUnreachable, ConfigError, ReleaseUnconfirmed, StockOut
from ..money import STOPPED_STORAGE_USD_PER_GB_MONTH, StopAt, disk_usd_per_day, forecast
from ..pod.guard import IDLE_S
from ..pod.keys import copy_key
from ..record.events import PodAbandoned, PodLeftBehind, PodRecycled, PodReopened, PodReopening, PodResumed
from ..record.state_file import StateFile, read_state_file
from ..run import Run
from .delivered import accept, note_doubt
from .drift import drift, spec_of, wanted_now
from .intents import record_intent
from .limits import spent_so_far
from .release import confirm_deleted

GONE_NOW = ", so it is deleted with its disk, and a new pod is asked for"


def may_recycle(run: Run) -> bool:
    """Whether the config wants a paused pod and the state file names one that was not tried yet."""
    return run.spec.job.lifecycle.on_success == "recycle" and not run.spec.force_fresh and recorded_pod(run) is not None


def recorded_pod(run: Run) -> StateFile | None:
    """The content of the state file, if it says which run the pod belongs to: any other pod is not touched."""
    path = run.spec.job.resolved_state_file
    try:
        recorded = read_state_file(path) if path else None
    except ConfigError:
        return None
    if recorded is None or recorded.run_id is None or recorded.pod_id in run.state.pod.abandoned:
        return None
    return recorded


def name_left_behind(run: Run) -> None:
    """With --force-fresh: the journal names the pod that the state file names, since the file will name another one."""
    recorded = recorded_pod(run) if run.spec.force_fresh else None
    if recorded is None:
        return
    pod = run.world.cloud.get(recorded.pod_id)
    if pod is not None and belongs(pod, recorded):
        leave_behind(run, pod, "a fresh pod was asked for (--force-fresh)")


def leave_behind(run: Run, pod: Pod, reason: str) -> None:
    """The journal names the pod and its price, so that people and `audit` find it although the state file changes."""
    if pod.id in run.state.request.left_behind:
        return
    disks = disks_of(pod, run.spec.job)
    usd_per_hour = real_rate(run.spec.job, pod).usd_per_hour + disks.usd_per_hour
    if pod.status == "EXITED":
        usd_per_hour = disk_usd_per_day(disks.volume_gb, STOPPED_STORAGE_USD_PER_GB_MONTH) / 24
    left = PodLeftBehind(
        pod_id=pod.id, name=pod.name, status=pod.status, usd_per_hour=round(usd_per_hour, 6), reason=reason
    )
    run.record(left)


def recycle(run: Run) -> bool:
    """Whether the paused pod is this run's now and on its way up.

    A pod that the config no longer asks for, or whose host has no free GPU, is deleted: nobody else knows of it, and
    its disk costs money.
    """
    pod = taken_pod(run) or take_paused_pod(run)
    if pod is None:
        return False
    recorded = recorded_pod(run)
    if recorded is not None and recorded.run_dir is not None:
        copy_key(recorded.run_dir / "ssh", run.dir.ssh)
    before = spec_of(recorded.run_dir) if recorded else None
    if differences := drift(wanted_now(run), pod, before):
        return abandon(run, pod, f"it is not what the config asks for ({'; '.join(differences)}){GONE_NOW}")
    return resume(run, pod)


def taken_pod(run: Run) -> Pod | None:
    """The pod that an earlier process of this run took and did not live to start."""
    if not run.state.pod.recycled or run.state.pod.id is None:
        return None
    pod = run.world.cloud.get(run.state.pod.id)
    if pod is None:
        run.record(PodAbandoned(pod_id=run.state.pod.id, reason="it does not exist any more"))
    return pod


def take_paused_pod(run: Run) -> Pod | None:
    """The pod that the state file names, if it is still paused and that run's; the journal has it as this run's now.

    A pod that somebody has changed or started is not used, and the journal names it. Raises CloudUnreachable if the
    API cannot say whether it exists.
    """
    recorded = recorded_pod(run) if may_recycle(run) else None
    pod = existing_pod(run, recorded.pod_id) if recorded else None
    if pod is None or recorded is None:
        return None
    if not belongs(pod, recorded):
        leave_behind(run, pod, f"it does not bear the token of run {recorded.run_id}, so it is somebody else's")
    elif pod.status != "EXITED":
        leave_behind(run, pod, f"somebody has started it: its status is {pod.status}")
    else:
        record_taken(run, pod)
        return pod
    return None


def existing_pod(run: Run, pod_id: str) -> Pod | None:
    """The pod; None if looks and listings agree that there is none. Raises CloudUnreachable."""
    cloud = run.world.cloud
    pod = cloud.get(pod_id)
    if pod is None and not is_gone(cloud, run.world.clock, pod_id):
        pod = cloud.get(pod_id)
        if pod is None:
            raise CloudUnreachable(
                f"the API does not say clearly whether the paused pod {pod_id} exists",
                hint="run again later, or with --force-fresh",
            )
    return pod


def belongs(pod: Pod, recorded: StateFile) -> bool:
    """Whether the pod is the one of the state file, whatever its name is now."""
    return bears(pod, name=recorded.run_id, token=recorded.token)


def record_taken(run: Run, pod: Pod) -> None:
    """The journal on disk knows the pod as this run's before anything is done to it. Raises ConfigError."""
    record_intent(
        run,
        PodRecycled(
            pod_id=pod.id,
            name=pod.name,
            token=token_of(pod),
            account=run.world.cloud.account,
            gpu_id=pod.gpu_id,
            datacenter_id=pod.datacenter_id,
            cloud_type=pod.cloud_type,
        ),
    )


def resume(run: Run, pod: Pod) -> bool:
    """Whether the pod is on its way up."""
    try:
        started = run.world.cloud.start(pod.id)
    except StockOut as refusal:
        return abandon(run, pod, f"it could not be started again ({refusal.message}){GONE_NOW}")
    run.record(restarted(run, started, PodResumed, earlier_s=unrecorded_s(run, pod)))
    note_doubt(run, started, real_rate(run.spec.job, started))
    return accept(run, (), started)


def unrecorded_s(run: Run, pod: Pod) -> float:
    """Seconds for which the pod, as it was before this start, has cost this run money without a record of it.

    That is so if a process ended after it had started the pod. If the guard has stopped the pod since, its longest
    patience counts.
    """
    taken_at, now = run.state.request.taken_at, run.world.clock.now()
    if taken_at is None or (pod.status == "EXITED" and (pod.started_at is None or pod.started_at < taken_at)):
        return 0.0
    if pod.status != "EXITED":
        return max(0.0, (now - taken_at).total_seconds())
    assert pod.started_at
    return min(IDLE_S, max(0.0, (now - pod.started_at).total_seconds()))


def restarted(
    run: Run, pod: Pod, kind: type[PodResumed], *, stop: StopAt | None = None, earlier_s: float = 0.0
) -> PodResumed:
    """The event for a pod that was started again: its price from now on, and when it must stop.

    Without a stop of its own, the run's money and time decide. It has cost money for earlier_s already.
    """
    job, now = run.spec.job, run.world.clock.now() - timedelta(seconds=earlier_s)
    rate, disks = real_rate(job, pod), disks_of(pod, job)
    ahead = forecast(job.budget, usd_per_hour=rate.usd_per_hour, disks=disks, past_usd=spent_so_far(run))
    stop = stop or ahead.stop_at(now)
    return kind(
        pod_id=pod.id,
        gpu_id=pod.gpu_id,
        datacenter_id=pod.datacenter_id,
        usd_per_hour=rate.usd_per_hour,
        price_source=rate.source,
        created_at=now,
        stop_at=stop.at,
        stop_why=stop.why,
        disks_usd_per_hour=disks.usd_per_hour,
        volume_gb=disks.volume_gb,
        gpu_count=pod.gpu_count,
    )


def abandon(run: Run, pod: Pod, reason: str) -> bool:
    """False, once the pod is gone and a fresh one may be requested.

    Raises CloudUnreachable if the API does not confirm that: the release of the run tries again, and has the last word.
    """
    run.record(PodAbandoned(pod_id=pod.id, reason=reason))
    try:
        confirm_deleted(run, pod.id)
    except ReleaseUnconfirmed as error:
        raise CloudUnreachable(f"{reason}, and then: {error.message}", hint=error.hint) from error
    return False


def reopen(run: Run) -> None:
    """The run's own paused pod is on its way up, and the journal knew of it before. The run itself is over.

    Raises StockOut if the pod's host has no free GPU.
    """
    pod_id = run.state.pod.id
    assert pod_id
    if not run.state.end.reopened:
        record_intent(run, PodReopening(pod_id=pod_id))
    started = run.world.cloud.start(pod_id)
    run.record(restarted(run, started, PodReopened, stop=reopen_limit(run)))


def reopen_limit(run: Run) -> StopAt:
    """When the reopened pod must stop. The run's own money and time may be used up, so this has its own limit."""
    budget = run.spec.job.budget
    lasts = timedelta(seconds=budget.ssh_ready_timeout_sec + budget.pull_grace_sec)
    return StopAt(run.world.clock.now() + lasts, "max_runtime")
