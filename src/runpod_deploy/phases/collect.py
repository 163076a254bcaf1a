"""From a pod that holds results to results that are here."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from ..errors import ArtifactMissing, SshLost, StagingFailed
from ..machine.clock import wait_until, within
from ..pod.protocol import JobEnd, LogChunk, Notice
from ..record.events import RemoteLogPullFailed, StopRequested
from ..record.log_mirror import LogMirror
from ..record.state import JOB_FAILURES, State
from ..run import Run
from ..spec import ArtifactPullSpec
from . import snapshots
from .artifacts import pull
from .limits import CheckLimit, closing_left_s, never
from .metrics_file import record_metrics
from .notices import ended, mirror_of, take_notice
from .reconnect import with_reconnects
from .secret_files import remove_secrets
from .stopping import stop_on_pod

DRAIN_WITHIN_S = 30.0
NEXT_STEP = {
    "stop": "the pod is kept, stopped; try again with `runpod-deploy pull --start {run_dir}`",
    "preserve": "the pod is kept and goes on billing; look at it, and try again with `runpod-deploy pull {run_dir}`",
    "delete": "the pod is deleted with everything on it (on_failure: delete); on_failure: stop would keep its volume",
}


def collect(run: Run) -> None:
    """Every result of the job is here, verified, if a job was ever launched. Raises ArtifactMissing, SshLost."""
    state = run.state
    if state.work.collected or state.end.released:
        return
    if not state.pod_answers:
        out_of_reach(run)
        return
    try:
        fetch(run)
    except ArtifactMissing:
        last_snapshots(run)
        raise
    last_snapshots(run)


def last_snapshots(run: Run) -> None:
    """The snapshots at the end are here, if there is time. They come last: a list may still be written there."""
    if closing_left_s(run) > 0:
        snapshots.at_end(run)


def fetch(run: Run) -> None:
    """The job has ended, and its log and artifacts are here. The pod has no more time for it than its guard would give.

    Raises ArtifactMissing, SshLost.
    """
    try:
        with within(run.world.clock, closing_left_s(run), "fetching the results"):
            if run.state.job.pid is not None:
                stop_job(run)
                finish_log(run)
            remove_secrets(run)
            if run.state.job.pid is not None:
                pull_all(run)
    except TimeoutError as error:
        raise ArtifactMissing(f"results are missing: {error}", hint=next_step(run)) from None


def out_of_reach(run: Run) -> None:
    """Nothing can be pulled any more. Raises ArtifactMissing if nothing else has failed that says so."""
    if run.state.job.pid is None or run.state.failure is not None:
        return
    names = "; ".join(f"{entry.label} ({entry.remote_path})" for entry in run.spec.job.artifacts if entry.required)
    raise ArtifactMissing(
        f"the job has ended, but the pod ended before its results could be downloaded; not here: {names or 'its log'}",
        hint="run again; with artifacts[].every_sec in the config, results are also pulled during the run",
    )


def pull_all(run: Run) -> None:
    """Each artifact is here, or was not required. Raises ArtifactMissing."""
    check_limit = grace(run)
    missing = [entry for entry in run.spec.job.artifacts if not pulled(run, entry, check_limit) and entry.required]
    if missing:
        raise ArtifactMissing(
            "required artifacts are not here: "
            + "; ".join(f"{entry.label} ({entry.remote_path}): {reason(run, entry)}" for entry in missing),
            hint=f"{next_step(run)}; write required: false for an artifact that the job does not always leave",
        )


def next_step(run: Run) -> str:
    """What can be done about results that are still on the pod."""
    return NEXT_STEP[run.spec.job.lifecycle.on_failure].format(run_dir=run.dir.path)


def stop_job(run: Run) -> None:
    """The job has ended. If it is stopped here, the journal says so."""
    if run.state.job.ended:
        return
    run.record(StopRequested(why=reason_to_stop(run.state)))
    stop_on_pod(run)


def reason_to_stop(state: State) -> str:
    """Why a job that still runs is stopped when the run closes."""
    if state.job.stop_requested or state.end.interrupted:
        return state.job.stop_requested or "interrupted"
    failed = state.end.forward_failure.kind if state.end.forward_failure else "internal"
    return failed if failed in JOB_FAILURES else "internal"


def finish_log(run: Run) -> None:
    """The copy of the log is complete. A log that cannot be fetched is only an event: the artifacts matter more."""
    mirror = mirror_of(run)
    if run.state.job.ended and mirror.size >= run.state.job.log_bytes:
        return
    try:
        end = with_reconnects(run, "fetching the rest of the log", lambda: drain(run, mirror), never)
    except (TimeoutError, SshLost, StagingFailed) as error:
        run.record(RemoteLogPullFailed(path=run.spec.job.run.log_path, error=str(error)))
        end = JobEnd(None, stopped=True)
    if mirror.lagging:
        run.record(RemoteLogPullFailed(path=run.spec.job.run.log_path, error=mirror.lagging))
    if not run.state.job.ended:
        run.record(ended(run, end, mirror))


def drain(run: Run, mirror: LogMirror) -> JobEnd:
    """The job's end, once the rest of its log is in the copy. Raises TimeoutError, SshLost."""
    with run.host.follow(mirror.remote_offset) as channel:

        def look() -> JobEnd | None:
            frame = channel.read(1.0)
            while isinstance(frame, LogChunk | Notice):
                list(mirror.take(frame.data) if isinstance(frame, LogChunk) else take_notice(run, mirror, frame))
                frame = channel.read(1.0)
            return frame if isinstance(frame, JobEnd) else None

        return wait_until(run.world.clock, look, every_s=0.0, within_s=DRAIN_WITHIN_S, what="the end of the log")


def grace(run: Run) -> CheckLimit:
    """The check that raises ArtifactMissing once the run's limit is over, and the time for pulls after it.

    A process that comes late, after a sleep or a crash, has that time from now on: what is still there is worth it.
    """
    clock, seconds = run.world.clock, run.spec.job.budget.pull_grace_sec
    until = max(run.state.cost.stop_at or clock.now(), clock.now()) + timedelta(seconds=seconds)

    def check_limit() -> None:
        if clock.now() >= until:
            raise ArtifactMissing(f"no time left to pull it: the limit passed more than {seconds} s ago")

    return check_limit


def pulled(run: Run, entry: ArtifactPullSpec, check_limit: CheckLimit) -> bool:
    """Whether the artifact is here. An error is recorded and does not keep the others from being pulled.

    Raises SshLost.
    """
    done = dict(run.state.work.artifacts).get(entry.label)
    if done is not None and done.status == "success":
        record_metrics(run, entry)  # a process that died may have pulled it and not have read it
        return True
    return with_reconnects(run, f"pulling {entry.label}", partial(pull, run, entry, check_limit), check_limit)


def reason(run: Run, entry: ArtifactPullSpec) -> str:
    """Why the artifact is not here."""
    artifact = dict(run.state.work.artifacts).get(entry.label)
    return (artifact.error if artifact else None) or "unknown"
