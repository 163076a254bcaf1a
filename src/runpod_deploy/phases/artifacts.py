"""Pulling artifacts from the pod, one by one: what is here, and why something is not. Knows no other phase."""

from __future__ import annotations

from ..errors import DeployError, SshLost
from ..machine.files import real
from ..machine.limited import limited_by
from ..pod.transfer.limits import shown
from ..pod.transfer.screening import first_names
from ..pod.transfer.values import Moved, Pull
from ..record.events import (
    ArtifactEmpty,
    ArtifactPullCompleted,
    ArtifactPullFailed,
    ArtifactPullStarted,
    ArtifactSkipped,
)
from ..run import Run
from ..spec import ArtifactPullSpec
from .artifact_places import other_artifacts, protected
from .check import local_path
from .limits import CheckLimit, never
from .metrics_file import record_metrics
from .stage import ProgressRecorder

ERROR_CHARS = 500
REFUSED_SHOWN = 10


def pull(run: Run, entry: ArtifactPullSpec, check_limit: CheckLimit = never, *, while_job_runs: bool = False) -> bool:
    """Whether the artifact is here, after one attempt that the journal has. Raises SshLost.

    check_limit ends the attempt by raising; without one it takes as long as it takes. While the job runs, files that
    look equal by size and time are not read again: collect verifies every file when the job has ended.
    """
    begun = run.world.clock.monotonic()
    run.record(ArtifactPullStarted(label=entry.label))
    try:
        check_limit()
        with limited_by(check_limit):
            progress = ProgressRecorder(run, entry.label, check_limit)
            moved = run.host.pull(pull_of(run, entry, while_job_runs=while_job_runs), progress)
    except SshLost:
        raise
    except (DeployError, OSError) as error:
        record_failed(run, entry, took_s(run, begun), str(error))
        return False
    if moved is None:
        return record_absent(run, entry, took_s(run, begun))
    if lacking := too_few(run, entry, moved) or lost_links(run, entry, moved):
        record_failed(run, entry, took_s(run, begun), lacking)
        return False
    return record_pulled(run, entry, moved, took_s(run, begun), verified=not while_job_runs)


def too_few(run: Run, entry: ArtifactPullSpec, moved: Moved) -> str:
    """What is wrong if the job has ended and left too few files for the artifact; empty if there are enough."""
    if not run.state.job.ended or moved.files >= (entry.min_files or 0):
        return ""
    return f"it has {moved.files} files, fewer than its min_files: {entry.min_files}; what is there was downloaded"


def lost_links(run: Run, entry: ArtifactPullSpec, moved: Moved) -> str:
    """What is wrong if the job has ended and links of a required artifact lead nowhere; empty if none do."""
    if not (run.state.job.ended and entry.required and moved.unresolved):
        return ""
    names = first_names(moved.unresolved)
    return f"links in it lead nowhere on the pod: {names}; what else is there was downloaded; exclude them if they may"


def took_s(run: Run, begun: float) -> float:
    """Seconds since then, as durations are recorded."""
    return round(run.world.clock.monotonic() - begun, 3)


def pull_of(run: Run, entry: ArtifactPullSpec, *, while_job_runs: bool) -> Pull:
    """The transfer that the entry means. Nothing is deleted in a folder that holds run folders."""
    place = local_path(run.spec, entry.local_path)
    holds_runs = real(run.dir.path).is_relative_to(real(place))
    return Pull(
        label=entry.label,
        remote_path=entry.remote_path,
        local_path=place,
        into=entry.local_path.endswith("/"),
        excludes=entry.excludes,
        delete=entry.delete and not holds_runs and not shares_place(run, entry),
        protected=protected(run, place),
        other_artifacts=other_artifacts(run, entry),
        trusting=while_job_runs,
    )


def shares_place(run: Run, entry: ArtifactPullSpec) -> bool:
    """Whether another artifact goes to the same place: its files look like some that are not on the pod."""
    mine = entry.places(run.spec.project_root)
    others = (other for other in run.spec.job.artifacts if other.label != entry.label)
    return any(mine & other.places(run.spec.project_root) for other in others)


def record_failed(run: Run, entry: ArtifactPullSpec, duration_s: float, error: str) -> None:
    """The journal has the error."""
    run.record(ArtifactPullFailed(label=entry.label, duration_sec=duration_s, error=error[:ERROR_CHARS]))


def record_absent(run: Run, entry: ArtifactPullSpec, duration_s: float) -> bool:
    """False, once the journal has it that there is nothing to pull: an error only if the artifact is required."""
    if entry.required:
        record_failed(run, entry, duration_s, "not on the pod")
    else:
        run.record(ArtifactSkipped(label=entry.label, reason="not on the pod"))
    return False


def record_pulled(run: Run, entry: ArtifactPullSpec, moved: Moved, duration_s: float, *, verified: bool) -> bool:
    """True, once the journal has it. An artifact of which not every file was read has no checksum yet.

    A required artifact without any file gets a warning: an empty folder is rarely what the job was for.
    """
    run.record(
        ArtifactPullCompleted(
            label=entry.label,
            duration_sec=duration_s,
            files=moved.files,
            bytes=moved.bytes_total,
            bytes_transferred=moved.bytes_transferred,
            sha256=moved.sha256 if verified else "",
            refused=len(moved.refused),
            refused_first=tuple(shown(path) for path in moved.refused[:REFUSED_SHOWN]),
            unresolved=len(moved.unresolved),
            unresolved_first=tuple(shown(path) for path in moved.unresolved[:REFUSED_SHOWN]),
        )
    )
    if entry.required and not moved.files and run.state.job.ended:
        run.record(ArtifactEmpty(label=entry.label, remote_path=entry.remote_path))
    record_metrics(run, entry)
    return True
