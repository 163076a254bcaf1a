"""A pod for a script that does its own work on it: made, protected and recorded like the pod of a run."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...driver import RunOptions, drive
from ...errors import Interrupt
from ...lifecycle import begin, close, step
from ...live import connect_cloud, real_world
from ...machine.clock import SystemClock, wait_until
from ...money import guard_deadline
from ...phases.check import check
from ...phases.choose import choose
from ...phases.connect import connect
from ...phases.guard_terms import guard_terms
from ...phases.provision import provision
from ...record.events import Detached, Interrupted
from ...record.paths import RunDir
from ...record.state import State
from ...run import Run
from ...spec import CloudType, LifecycleAction, RunpodJobSpec
from ..jobs import JobContext, as_draft
from ..pods import cleanup_pod
from ..runs import result_of, succeeded
from .remote import PodConnection

logger = logging.getLogger("runpod_deploy.provider")
POLL_S = 5.0
NO_POD = PodConnection("<pod-id>", "203.0.113.10", 22022)
"""The connection of a dry run: nothing answers at this address."""
UP = (check, choose, provision, connect)


def provision_pod(
    ctx: JobContext,
    *,
    volume_id: str | None = None,
    gpu_id: str,
    datacenter_id: str,
    dry_run: bool = False,
    ssh_ready_timeout_sec: int = 900,
    cloud_type_override: CloudType | None = None,
) -> PodConnection:
    """The address of a new pod that answers over SSH, for a script that does the rest, and ends with `cleanup_pod`.

    The pod is recorded in ctx.run_dir. Its guard ends it when the money or the time of the job's budget is used up,
    whatever becomes of the script. A paused pod that the job may recycle is started again instead. volume_id is
    accepted for older scripts: the volume is found by the name in the config. Raises RunFailed if there is no pod
    in the end, ConfigError.
    """
    del volume_id
    if dry_run:
        return replace(NO_POD, gpu_id=gpu_id)
    cloud_type = cloud_type_override or ctx.spec.pod.cloud_type
    draft = as_draft(narrowed(ctx.spec, cloud_type, ssh_ready_timeout_sec), ctx.config_path, given(ctx))
    ctx.run_dir.mkdir(parents=True, exist_ok=True)
    spec = draft.render(stamp=ctx.run_dir.name, run_dir=ctx.run_dir, created_at=SystemClock().now())
    spec = replace(spec, run_id=ctx.run_id, gpu_id=gpu_id, datacenter_id=datacenter_id)
    run_dir = RunDir(ctx.run_dir)
    state = drive(spec, run_dir, real_world(), RunOptions(), bring_up)
    if state.end.finished:
        succeeded(result_of(spec, run_dir, state))
    assert state.pod.id and state.pod.address
    return PodConnection(state.pod.id, state.pod.address.host, state.pod.address.port, gpu_id)


def given(ctx: JobContext) -> dict[str, str]:
    """The user's variables with their values in this context."""
    return {name: ctx.variables[name] for name in ctx.spec.variables}


def narrowed(job: RunpodJobSpec, cloud_type: CloudType, ssh_ready_timeout_s: int) -> RunpodJobSpec:
    """The job on this cloud, with this patience."""
    changes: dict[str, Any] = {"ssh_ready_timeout_sec": ssh_ready_timeout_s}
    return replace(job, pod=replace(job.pod, cloud_type=cloud_type), budget=replace(job.budget, **changes))


def bring_up(run: Run) -> State:
    """The run's pod answers and its guard waits until the limit; or the run has ended, and no pod is left."""
    try:
        begin(run)
        if all(step(run, phase) for phase in UP):
            keep_until_limit(run)
            run.record(Detached(why="handed_over"))
            return run.state
    except Interrupt as interrupt:
        run.record(Interrupted(signal=interrupt.signal_name))
    close(run)
    return run.state


def keep_until_limit(run: Run) -> None:
    """The guard leaves the pod alone until the run's limit, although the tool starts no job on it."""
    stop_at = run.state.cost.stop_at
    assert stop_at
    deadline = guard_deadline(stop_at, run.spec.job.budget)
    left_s = (deadline - run.world.clock.now()).total_seconds()
    run.host.arm(replace(guard_terms(run, deadline), idle_s=max(1, int(left_s))))


def wait_for_pod_ready(pod_id: str, *, gpu_id: str, timeout_sec: float = 900) -> PodConnection:
    """The address of a pod, once the API shows one. Raises RuntimeError if it shows none in this time."""
    cloud = connect_cloud()

    def look() -> PodConnection | None:
        pod = cloud.look(pod_id, POLL_S)
        if pod is None or pod.status != "RUNNING" or pod.address is None:
            return None
        return PodConnection(pod_id, pod.address.host, pod.address.port, gpu_id)

    try:
        return wait_until(SystemClock(), look, every_s=POLL_S, within_s=timeout_sec, what="the pod's address")
    except TimeoutError as error:
        raise RuntimeError(f"pod {pod_id} did not become SSH-ready in {timeout_sec:.0f} s") from error


def try_resume_pod(
    state_file: Path,
    *,
    image: str,
    gpu_id: str,
    datacenter_id: str,
    ssh_ready_timeout_sec: int = 900,
) -> PodConnection | None:
    """None: `provision_pod` starts a paused pod again by itself, if the job recycles its pod and the pod fits it."""
    del image, gpu_id, datacenter_id, ssh_ready_timeout_sec
    logger.info("%s: provision_pod resumes the pod that it names, if on_success is recycle", state_file)
    return None


def stop_pod(pod_id: str, *, dry_run: bool, state_file: Path | None = None) -> None:
    """The pod is stopped, and the API has confirmed it. Its disk still costs money. Raises ReleaseUnconfirmed."""
    action: LifecycleAction = "stop"
    cleanup_pod(pod_id, action=action, dry_run=dry_run, state_file=state_file)
