"""A paused pod of an earlier run, taken up again instead of a fresh one."""

from __future__ import annotations

from typing import Any

from ..cloud.values import Pod
from ..errors import ConfigError, StockOut
from ..money import StopAt, stop_at
from ..pod.ssh import copy_key
from ..record.events import PodAbandoned, PodRecycled, PodResumed
from ..record.state_file import Pointer, read_pointer
from ..run import Run
from ..spec import RunpodJobSpec
from .limits import disks_rate, own_disks_gb, spent_so_far
from .release import vanish


def may_recycle(run: Run) -> bool:
    """Whether the config wants a paused pod and the state file names one that was not tried yet."""
    return run.spec.job.lifecycle.on_success == "recycle" and not run.spec.force_fresh and pointed(run) is not None


def pointed(run: Run) -> Pointer | None:
    """What the state file says, if it says whose pod that is: without that it is not touched."""
    path = run.spec.job.resolved_state_file
    try:
        pointer = read_pointer(path) if path else None
    except ConfigError:
        return None
    if pointer is None or pointer.run_id is None or pointer.pod_id in run.state.pod.abandoned:
        return None
    return pointer


def recycle(run: Run) -> bool:
    """Whether the paused pod is this run's now and on its way up.

    One that is not what the config asks for any more, or whose host has no free GPU, is deleted: nobody else
    knows of it, and its disk costs money.
    """
    pod = taken(run) or wanted(run)
    if pod is None:
        return False
    pointer = pointed(run)
    if pointer is not None and pointer.run_dir is not None:
        copy_key(pointer.run_dir / "ssh", run.dir.ssh)
    if differences := drift(run.spec.job, pod):
        return give_up(run, pod, f"it is not what the config asks for: {'; '.join(differences)}")
    return resume(run, pod)


def taken(run: Run) -> Pod | None:
    """The pod that a process of this run took and died over before it ran."""
    if not run.state.pod.recycled or run.state.pod.id is None:
        return None
    pod = run.world.cloud.get(run.state.pod.id)
    if pod is None:
        run.record(PodAbandoned(pod_id=run.state.pod.id, reason="it does not exist any more"))
    return pod


def wanted(run: Run) -> Pod | None:
    """The paused pod that the state file names, if it is still the one, and the journal knows it as this run's now."""
    pointer = pointed(run) if may_recycle(run) else None
    pod = run.world.cloud.get(pointer.pod_id) if pointer else None
    if pod is None or pointer is None or pod.name != pointer.run_id or pod.status != "EXITED":
        return None
    take(run, pod)
    return pod


def take(run: Run, pod: Pod) -> None:
    """The journal knows the pod as this run's before anything is done to it."""
    run.record(
        PodRecycled(
            pod_id=pod.id,
            name=pod.name,
            gpu_id=pod.gpu_id,
            datacenter_id=pod.datacenter_id,
            cloud_type=pod.cloud_type,
        )
    )


def resume(run: Run, pod: Pod) -> bool:
    """Whether the pod is on its way up."""
    try:
        started = run.world.cloud.start(pod.id)
    except StockOut as refusal:
        return give_up(run, pod, refusal.message)
    run.record(PodResumed(**terms(run, started)))
    return True


def terms(run: Run, started: Pod, stop: StopAt | None = None) -> dict[str, Any]:
    """What the event says of a pod that was started again: what it costs from now on, and until when it may."""
    budget, now = run.spec.job.budget, run.world.clock.now()
    rate, sizes_gb = started.usd_per_hour or budget.assumed_hourly_rate_usd, own_disks_gb(run.spec.job, started)
    disks = disks_rate(sizes_gb)
    stop = stop or stop_at(budget, created_at=now, usd_per_hour=rate + disks, past_usd=spent_so_far(run))
    return {
        "pod_id": started.id,
        "gpu_id": started.gpu_id,
        "datacenter_id": started.datacenter_id,
        "usd_per_hour": rate,
        "price_source": "pod_describe" if started.usd_per_hour else "assumed_rate",
        "created_at": now,
        "stop_at": stop.at,
        "stop_why": stop.why,
        "disks_usd_per_hour": disks,
        "volume_gb": sizes_gb[1],
    }


def give_up(run: Run, pod: Pod, reason: str) -> bool:
    """False, once the pod is gone and a fresh one may be asked for. Raises ReleaseUnconfirmed."""
    run.record(PodAbandoned(pod_id=pod.id, reason=reason))
    vanish(run, pod.id)
    return False


def drift(job: RunpodJobSpec, pod: Pod) -> list[str]:
    """What the pod is and the config no longer asks for."""
    ask: dict[str, tuple[object, set[object]]] = {
        "image": (pod.image, {job.pod.image}),
        "GPU": (pod.gpu_id, set(job.pod.gpu_order) or {job.pod.cpu}),
        "GPU count": (pod.gpu_count, {job.pod.gpu_count}),
        "cloud": (pod.cloud_type, {job.pod.cloud_type}),
        "container disk": (pod.container_disk_gb, {job.pod.container_disk_gb}),
        "volume": (pod.volume_gb, {job.storage.volume_gb} if job.storage.mode == "ephemeral" else {None}),
    }
    return [f"{what} {have}" for what, (have, wanted) in ask.items() if have is not None and have not in wanted]
