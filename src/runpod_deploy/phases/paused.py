"""Paused pods, started again: one of an earlier run is recycled, this run's own is reopened to fetch what it holds."""

from __future__ import annotations

from datetime import timedelta

from ..cloud.rates import disks_of, real_rate
from ..cloud.values import Pod
from ..errors import CloudUnreachable, ConfigError, ReleaseUnconfirmed, StockOut
from ..money import StopAt, forecast
from ..pod.ssh import copy_key
from ..record.events import PodAbandoned, PodRecycled, PodReopened, PodReopening, PodResumed
from ..record.state_file import StateFile, read_state_file
from ..run import Run
from ..spec import STORAGE_EPHEMERAL, RunpodJobSpec
from .intents import record_intent
from .limits import spent_so_far
from .release import confirm_deleted


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
    if differences := drift(run.spec.job, pod):
        return abandon(run, pod, f"it is not what the config asks for: {'; '.join(differences)}")
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
    """The pod that the state file names, if it is still paused and that run's; the journal has it as this run's now."""
    recorded = recorded_pod(run) if may_recycle(run) else None
    pod = run.world.cloud.get(recorded.pod_id) if recorded else None
    if pod is None or recorded is None or pod.name != recorded.run_id or pod.status != "EXITED":
        return None
    record_taken(run, pod)
    return pod


def record_taken(run: Run, pod: Pod) -> None:
    """The journal on disk knows the pod as this run's before anything is done to it. Raises ConfigError."""
    record_intent(
        run,
        PodRecycled(
            pod_id=pod.id,
            name=pod.name,
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
        return abandon(run, pod, refusal.message)
    run.record(restarted(run, started, PodResumed))
    return True


def restarted(run: Run, pod: Pod, kind: type[PodResumed], stop: StopAt | None = None) -> PodResumed:
    """The event for a pod that was started again: its price from now on, and when it must stop.

    Without a stop of its own, the run's money and time decide.
    """
    job, now = run.spec.job, run.world.clock.now()
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


def drift(job: RunpodJobSpec, pod: Pod) -> list[str]:
    """The properties of the pod that the config no longer asks for."""
    ask: dict[str, tuple[object, set[object]]] = {
        "image": (pod.image, {job.pod.image}),
        "GPU": (pod.gpu_id, set(job.pod.gpu_order) or {job.pod.cpu}),
        "GPU count": (pod.gpu_count, {job.pod.gpu_count}),
        "cloud": (pod.cloud_type, {job.pod.cloud_type}),
        "container disk": (pod.container_disk_gb, {job.pod.container_disk_gb}),
        "volume": (pod.volume_gb, {job.storage.volume_gb} if job.storage.mode == STORAGE_EPHEMERAL else {None}),
    }
    return [f"{what} {have}" for what, (have, wanted) in ask.items() if have is not None and have not in wanted]


def reopen(run: Run) -> None:
    """The run's own paused pod is on its way up, and the journal knew of it before. The run itself is over.

    Raises StockOut if the pod's host has no free GPU.
    """
    pod_id = run.state.pod.id
    assert pod_id
    if not run.state.end.reopened:
        record_intent(run, PodReopening(pod_id=pod_id))
    started = run.world.cloud.start(pod_id)
    run.record(restarted(run, started, PodReopened, reopen_limit(run)))


def reopen_limit(run: Run) -> StopAt:
    """When the reopened pod must stop. The run's own money and time may be used up, so this has its own limit."""
    budget = run.spec.job.budget
    lasts = timedelta(seconds=budget.ssh_ready_timeout_sec + budget.pull_grace_sec)
    return StopAt(run.world.clock.now() + lasts, "max_runtime")
