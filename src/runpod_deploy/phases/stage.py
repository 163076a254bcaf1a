"""Everything that goes up: folders, secrets, and the job itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..errors import StagingFailed
from ..pod.shell import job_script, secret_text, write_file
from ..pod.transfer.shipment import push_of
from ..pod.transfer.values import Progress
from ..record.events import JobLaunched, SecretWritten, StageFinished, StageProgressed, StageStarted
from ..run import Run
from ..spec import RsyncPushSpec, SecretSpec
from .check import local_path
from .heartbeat import record_if_due
from .limits import enforce, remaining_s
from .reconnect import with_reconnects

SECRET_TIMEOUT_S = 60.0
PROGRESS_EVERY_S = 1.0


def secrets(run: Run) -> None:
    """Each secret is on the pod with its mode. Raises StagingFailed."""
    if run.state.job.pid is None:
        for secret in run.spec.job.secrets:
            with_reconnects(run, f"secret {secret.name}", partial(write, run, secret))


def write(run: Run, secret: SecretSpec) -> None:
    """The secret is on the pod: its value travels on standard input only."""
    reply = run.host.run(write_file(secret), stdin=value_of(run, secret), timeout_s=remaining_s(run, SECRET_TIMEOUT_S))
    if reply.exit_code != 0:
        reason = reply.stderr.decode(errors="replace").strip()
        raise StagingFailed(f"secret {secret.name} could not be written to {secret.destination}: {reason}")
    run.record(SecretWritten(name=secret.name, destination=secret.destination, mode=secret.mode))


def value_of(run: Run, secret: SecretSpec) -> bytes:
    """What the secret's file on the pod shall hold."""
    if secret.file is not None:
        return local_path(run.spec, secret.file).read_bytes()
    return secret_text((name, run.world.environ[name]) for name in secret.env)


def stage(run: Run) -> None:
    """Each staged folder equals the local one. Raises StagingFailed, LimitReached."""
    if run.state.job.pid is None:
        for entry in run.spec.job.staging:
            if entry.label not in run.state.work.staged:
                with_reconnects(run, f"staging {entry.label}", partial(put, run, entry))


def put(run: Run, entry: RsyncPushSpec) -> None:
    """The entry is on the pod."""
    enforce(run)
    clock = run.world.clock
    begun = clock.monotonic()
    moved = run.host.push(push_of(entry, run.spec.project_root), StagingMeter(run, entry.label))
    run.record(
        StageFinished(
            label=entry.label,
            files=moved.files,
            bytes=moved.bytes_total,
            bytes_transferred=moved.bytes_transferred,
            duration_sec=round(clock.monotonic() - begun, 3),
        )
    )


class Meter:
    """Turns the progress of a transfer into events, no more than one a second, and holds the transfer to its time."""

    def __init__(self, run: Run, label: str, hold: Callable[[], None]) -> None:
        """`hold` raises when the time is over."""
        self.run = run
        self.label = label
        self.hold = hold
        self.due = run.world.clock.monotonic() + PROGRESS_EVERY_S

    def __call__(self, now: Progress) -> None:
        """Records how far it is, if it is time to. Raises what `hold` raises."""
        self.hold()
        record_if_due(self.run, self.label)
        time_s = self.run.world.clock.monotonic()
        if time_s >= self.due:
            self.due = time_s + PROGRESS_EVERY_S
            self.run.record(
                StageProgressed(
                    label=self.label, bytes=now.bytes, files=now.files, of_files=now.of_files, of_bytes=now.of_bytes
                )
            )


class StagingMeter(Meter):
    """The same for what goes up: tells first what has to be sent, and ends with the run's money and time."""

    def __init__(self, run: Run, label: str) -> None:
        super().__init__(run, label, partial(enforce, run))
        self.started = False

    def __call__(self, now: Progress) -> None:
        """Raises LimitReached."""
        if not self.started:
            self.started = True
            self.run.record(StageStarted(label=self.label, files=now.of_files, bytes=now.of_bytes))
        super().__call__(now)


def launch(run: Run) -> None:
    """The job was started once, detached from us."""
    if run.state.job.pid is None:
        enforce(run)
        script = job_script(run.spec.job)
        pid = with_reconnects(run, "launching the job", lambda: run.host.launch(script))
        run.record(JobLaunched(pid=pid))
