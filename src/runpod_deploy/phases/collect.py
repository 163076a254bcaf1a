"""From a pod that holds results to results that are here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from ..errors import ArtifactMissing, CloudUnreachable, DeployError, SshLost
from ..machine.clock import wait_until
from ..money import STOP_GRACE_S
from ..pod.protocol import JobEnd, LogChunk
from ..pod.shell import remove_files
from ..pod.transfer.values import Moved, Pull
from ..record.events import (
    ArtifactPullCompleted,
    ArtifactPullFailed,
    ArtifactPullStarted,
    ArtifactSkipped,
    JobEnded,
    RemoteLogPullFailed,
    SecretsRemoved,
    StopRequested,
)
from ..record.log_mirror import LogMirror
from ..record.state import JOB_FAILURES, State
from ..record.verdict import cause_of_end
from ..run import Run
from ..spec import ArtifactPullSpec
from . import snapshots
from .check import local_path
from .limits import no_limit
from .reconnect import with_reconnects
from .stage import Meter

DRAIN_WITHIN_S = 30.0
REMOVE_TIMEOUT_S = 30.0
WAY_BACK = {
    "stop": "the pod is kept, stopped: `runpod-deploy pull --start {run_dir}` tries again on it",
    "preserve": "the pod is kept as it is: look at it, and try again with `runpod-deploy pull {run_dir}`",
    "delete": "the pod goes with what is on it (on_failure: delete); with on_failure: stop it is kept",
}


def collect(run: Run) -> None:
    """Whatever the job left is here, verified, if a job was ever launched. Raises ArtifactMissing, SshLost."""
    state = run.state
    if state.work.collected or state.end.released or not state.pod_answers:
        return
    if state.job.pid is not None:
        stop_job(run)
        finish_log(run)
    snapshots.at_end(run)
    remove_secrets(run)
    try:
        if state.job.pid is not None:
            bring_home(run)
    finally:
        snapshots.described_at_end(run)


def bring_home(run: Run) -> None:
    """Each artifact is here, or was not required."""
    hold = grace(run)
    missing = [entry for entry in run.spec.job.artifacts if not pulled(run, entry, hold) and entry.required]
    if missing:
        raise ArtifactMissing(
            "required artifacts are not here: "
            + "; ".join(f"{entry.label} ({entry.remote_path}): {reason(run, entry)}" for entry in missing),
            hint=f"{WAY_BACK[run.spec.job.lifecycle.on_failure].format(run_dir=run.dir.path)}; "
            "write required: false where the job may leave nothing",
        )


def stop_job(run: Run) -> None:
    """The job is over, and if we end it here, the journal says so."""
    if run.state.job.ended:
        return
    run.record(StopRequested(why=why_we_stop(run.state)))
    with_reconnects(run, "stopping the job", lambda: run.host.stop_job(STOP_GRACE_S), no_limit)


def why_we_stop(state: State) -> str:
    """What ends a job that is still on its way when the run closes."""
    if state.job.stop_requested or state.end.interrupted:
        return state.job.stop_requested or "interrupted"
    failed = state.end.forward_failure.kind if state.end.forward_failure else "internal"
    return failed if failed in JOB_FAILURES else "internal"


def finish_log(run: Run) -> None:
    """The copy of the log is whole. A log that cannot be had is an event: the artifacts matter more."""
    mirror = LogMirror(run.dir.log, run.spec.job.run, scanned_bytes=run.state.job.scanned_bytes)
    if run.state.job.ended and mirror.size >= run.state.job.log_bytes:
        return
    try:
        end = with_reconnects(run, "fetching the rest of the log", lambda: drain(run, mirror), no_limit)
    except (TimeoutError, SshLost) as error:
        run.record(RemoteLogPullFailed(path=run.spec.job.run.log_path, error=str(error)))
        end = JobEnd(None, stopped=True)
    if mirror.lagging:
        run.record(RemoteLogPullFailed(path=run.spec.job.run.log_path, error=mirror.lagging))
    if not run.state.job.ended:
        why = cause_of_end(stopped=end.stopped, asked=run.state.job.stop_requested, limit=run.state.cost.stop_why)
        run.record(JobEnded(exit_code=end.exit_code, why=why, log_bytes=mirror.received))


def drain(run: Run, mirror: LogMirror) -> JobEnd:
    """The job's end, once the rest of its log is in the copy. Raises TimeoutError, SshLost."""
    with run.host.follow(mirror.size) as channel:

        def look() -> JobEnd | None:
            frame = channel.read(1.0)
            while isinstance(frame, LogChunk):
                list(mirror.take(frame.data))
                frame = channel.read(1.0)
            return frame if isinstance(frame, JobEnd) else None

        return wait_until(run.world.clock, look, every_s=0.0, within_s=DRAIN_WITHIN_S, what="the end of the log")


def grace(run: Run) -> Callable[[], None]:
    """What raises ArtifactMissing once the limit and the time for pulls after it are over.

    Who comes late, after a sleep or a crash, has that time from now on: what is still there is worth it.
    """
    clock, seconds = run.world.clock, run.spec.job.budget.pull_grace_sec
    until = max(run.state.cost.stop_at or clock.now(), clock.now()) + timedelta(seconds=seconds)

    def hold() -> None:
        if clock.now() >= until:
            raise ArtifactMissing(f"no time left to pull it: the limit passed more than {seconds} s ago")

    return hold


def pulled(run: Run, entry: ArtifactPullSpec, hold: Callable[[], None]) -> bool:
    """Whether the artifact is here; an error is recorded and does not keep the others from coming. Raises SshLost."""
    done = dict(run.state.work.artifacts).get(entry.label)
    if done is not None and done.status == "success":
        return True
    return with_reconnects(run, f"pulling {entry.label}", partial(pull, run, entry, hold), hold)


def pull(run: Run, entry: ArtifactPullSpec, hold: Callable[[], None]) -> bool:
    """Whether the artifact is here, after one try that the journal has; `hold` ends it by raising. Raises SshLost."""
    begun = run.world.clock.monotonic()
    run.record(ArtifactPullStarted(label=entry.label))
    try:
        hold()
        moved = run.host.pull(pull_of(run, entry), Meter(run, entry.label, hold))
    except SshLost:
        raise
    except (DeployError, OSError) as error:
        took = round(run.world.clock.monotonic() - begun, 3)
        run.record(ArtifactPullFailed(label=entry.label, duration_sec=took, error=str(error)[:500]))
        return False
    return keep_word(run, entry, moved, round(run.world.clock.monotonic() - begun, 3))


def pull_of(run: Run, entry: ArtifactPullSpec) -> Pull:
    """The transfer that the entry means."""
    place = local_path(run.spec, entry.local_path)
    holds_runs = run.dir.path.is_relative_to(place)
    return Pull(
        label=entry.label,
        remote_path=entry.remote_path,
        local_path=place,
        into=entry.local_path.endswith("/"),
        excludes=entry.excludes,
        delete=entry.delete and not holds_runs,
    )


def keep_word(run: Run, entry: ArtifactPullSpec, moved: Moved | None, took_s: float) -> bool:
    """Whether the artifact is here, once the journal has it."""
    if moved is None and entry.required:
        run.record(ArtifactPullFailed(label=entry.label, duration_sec=took_s, error="not on the pod"))
    elif moved is None:
        run.record(ArtifactSkipped(label=entry.label, reason="not on the pod"))
    else:
        run.record(
            ArtifactPullCompleted(
                label=entry.label,
                duration_sec=took_s,
                files=moved.files,
                bytes=moved.bytes_total,
                bytes_transferred=moved.bytes_transferred,
                sha256=moved.sha256,
            )
        )
    return moved is not None


def reason(run: Run, entry: ArtifactPullSpec) -> str:
    """Why the artifact is not here."""
    artifact = dict(run.state.work.artifacts).get(entry.label)
    return (artifact.error if artifact else None) or "unknown"


def remove_secrets(run: Run) -> None:
    """The secrets are off the pod, as far as it answers."""
    written = [s for s in run.spec.job.secrets if s.name in run.state.work.secrets]
    if not written:
        return
    try:
        run.host.run(remove_files(s.destination for s in written), timeout_s=REMOVE_TIMEOUT_S)
    except (SshLost, TimeoutError, CloudUnreachable):
        return
    run.record(SecretsRemoved(names=tuple(s.name for s in written)))
