"""Everything that is uploaded but secrets: folders, and the job itself."""

from __future__ import annotations

from functools import partial

from ..errors import StagingFailed
from ..pod.shell import job_script
from ..pod.transfer.limits import shown
from ..pod.transfer.shipment import push_of
from ..pod.transfer.values import Progress
from ..record.events import JobLaunched, StageFinished, StageProgressed, StageStarted
from ..run import Run
from ..spec import RsyncPushSpec
from . import heartbeat, price_changes
from .another_machine import settle_race
from .limits import CheckLimit, enforce, run_limit
from .pod_note import leave_note
from .reconnect import with_reconnects

PROGRESS_EVERY_S = 1.0
LINKS_SHOWN = 10


def stage(run: Run) -> None:
    """Each staged folder equals the local one. Raises StagingFailed, LimitReached."""
    if run.state.job.pid is None:
        for entry in run.spec.job.staging:
            if entry.label not in run.state.work.staged:
                with_reconnects(run, f"staging {entry.label}", partial(push, run, entry), run_limit(run))
                leave_note(run)


def push(run: Run, entry: RsyncPushSpec) -> None:
    """The entry is on the pod."""
    enforce(run)
    clock = run.world.clock
    begun = clock.monotonic()
    job = run.spec.job
    kept = tuple(secret.path_on_pod(run.spec.run_id) for secret in job.secrets)
    asked = push_of(entry, run.spec.project_root, mount=job.storage.volume_mount, kept=kept)
    moved = run.host.push(asked, StagingRecorder(run, entry.label))
    run.record(
        StageFinished(
            label=entry.label,
            files=moved.files,
            bytes=moved.bytes_total,
            bytes_transferred=moved.bytes_transferred,
            duration_sec=round(clock.monotonic() - begun, 3),
            removed=moved.removed,
            removed_bytes=moved.removed_bytes,
            removed_largest=moved.removed_largest,
            links_out=len(moved.links_out),
            links_out_first=tuple(shown(name) for name in moved.links_out[:LINKS_SHOWN]),
        )
    )


class ProgressRecorder:
    """Records the progress of a transfer, at most once a second, and ends the transfer when its time is over."""

    def __init__(self, run: Run, label: str, check_limit: CheckLimit) -> None:
        self.run = run
        self.label = label
        self.check_limit = check_limit
        self.due = run.world.clock.monotonic() + PROGRESS_EVERY_S

    def __call__(self, now: Progress) -> None:
        """The progress is recorded if a second has passed. Raises what check_limit raises."""
        self.check_limit()
        heartbeat.record_if_due(self.run, self.label)
        time_s = self.run.world.clock.monotonic()
        if time_s >= self.due:
            self.due = time_s + PROGRESS_EVERY_S
            self.run.record(
                StageProgressed(
                    label=self.label, bytes=now.bytes, files=now.files, of_files=now.of_files, of_bytes=now.of_bytes
                )
            )


class StagingRecorder(ProgressRecorder):
    """Records an upload: first what has to be sent, then its progress. The run's limit ends the upload."""

    def __init__(self, run: Run, label: str) -> None:
        super().__init__(run, label, run_limit(run))
        self.started = False

    def __call__(self, now: Progress) -> None:
        """The start of the upload, or its progress, is recorded. Raises LimitReached."""
        if not self.started:
            self.started = True
            self.run.record(StageStarted(label=self.label, files=now.of_files, bytes=now.of_bytes))
        price_changes.follow_if_due(self.run)
        super().__call__(now)


def launch(run: Run) -> None:
    """The job was started once, and does not depend on our connection."""
    if run.state.job.pid is None:
        enforce(run)
        settle_race(run)
        flush(run)
        script = job_script(run.spec.job, run.spec.run_id)
        pid = with_reconnects(run, "launching the job", lambda: run.host.launch(script), run_limit(run))
        run.record(JobLaunched(pid=pid))


def flush(run: Run) -> None:
    """The journal on disk is complete: without it, a later process would start the job again on a fresh pod.

    Raises StagingFailed.
    """
    try:
        run.journal.flush()
    except OSError as error:
        raise StagingFailed(
            f"{run.dir.events}: cannot write the journal: {error.strerror}",
            hint="make room on that disk and run again; the job was not started: there would be no record of it",
        ) from error
