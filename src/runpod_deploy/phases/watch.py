"""From a job that runs to a job that is over."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from ..errors import PodKilled, SshLost
from ..money import STOP_GRACE_S
from ..pod.protocol import Frame, JobEnd, LogChunk, Sample
from ..record.events import (
    ConnectionLost,
    ConnectionRestored,
    Event,
    FailureMarkerSeen,
    JobEnded,
    Retried,
    StopRequested,
)
from ..record.log_mirror import LogMirror
from ..record.verdict import cause_of_end
from ..run import Run
from .collect import pull
from .heartbeat import record_if_due
from .limits import enforce, no_limit
from .reconnect import killed, reconnect, with_reconnects

# How long one read may wait before the clock is looked at again.
LOOK_EVERY_S = 1.0


class Detach(Exception):
    """The run goes on without us, under its guard."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def watch(run: Run) -> None:
    """The job is over and the journal says why. Raises Detach when we are to go, PodKilled when the pod went."""
    if run.state.job.ended:
        return
    if run.detach:
        raise Detach("asked")
    try:
        Watcher(run).until_over()
    except SshLost as error:
        run.show("tool", f"{error.message}\n{error.hint}\n".encode())
        raise Detach("ssh_lost") from error


class Watcher:
    """One process's watch over one job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.clock = run.world.clock
        state = run.state
        self.mirror = LogMirror(run.dir.log, run.spec.job.run, scanned_bytes=state.job.scanned_bytes)
        self.looked_at = self.clock.monotonic()
        self.silent_s = 0.0
        """How long we have listened to a log that did not grow."""
        self.warned = False
        repeated = [entry for entry in run.spec.job.artifacts if entry.every_sec]
        self.pull_due = {entry.label: self.clock.monotonic() + (entry.every_sec or 0) for entry in repeated}

    def until_over(self) -> None:
        """The job is over. Raises PodKilled, SshLost."""
        self.note(self.mirror.catch_up())
        if self.run.state.job.stop_requested:
            self.stop(self.run.state.job.stop_requested)
        while not self.run.state.job.ended:
            try:
                self.session()
            except SshLost as error:
                self.reconnect(error)

    def session(self) -> None:
        """One connection's worth of watching. Raises SshLost."""
        with self.run.host.follow(self.mirror.received) as channel:
            while not self.run.state.job.ended:
                frame = channel.read(LOOK_EVERY_S)
                if frame is not None:
                    self.take(frame)
                self.tick()

    def reconnect(self, error: SshLost) -> None:
        """The pod answers again. Raises PodKilled, SshLost."""
        lost_at = self.clock.monotonic()
        self.run.record(ConnectionLost(error=error.message, log_bytes=self.mirror.received))
        reconnect(self.run, no_limit)
        lost_sec = round(self.clock.monotonic() - lost_at, 3)
        self.run.record(ConnectionRestored(log_bytes=self.mirror.received, lost_sec=lost_sec))
        self.silent_s = 0.0

    def take(self, frame: Frame) -> None:
        """What the frame brings is kept and recorded."""
        match frame:
            case LogChunk():
                self.silent_s = 0.0
                self.run.show("job", frame.data)
                self.note(self.mirror.take(frame.data))
            case Sample():
                self.keep_sample(frame)
            case JobEnd():
                self.note(self.mirror.scanner.finish())
                self.end(frame)

    def note(self, marks: Iterable[Event]) -> None:
        """The marks are recorded; a configured failure marker stops the job."""
        for mark in marks:
            if isinstance(mark, FailureMarkerSeen) and mark.marker in self.run.state.job.failure_markers_seen:
                continue
            self.run.record(mark)
            if isinstance(mark, FailureMarkerSeen) and mark.configured:
                self.stop("failure_marker")

    def end(self, end: JobEnd) -> None:
        """The end of the job is recorded. Raises PodKilled if it left no status: its container died with it."""
        state = self.run.state
        why = cause_of_end(stopped=end.stopped, asked=state.job.stop_requested, limit=state.cost.stop_why)
        if end.exit_code is None and why == "exited":
            raise lost_job(self.run)
        self.run.record(JobEnded(exit_code=end.exit_code, why=why, log_bytes=self.mirror.received))

    def stop(self, why: str) -> None:
        """No process of the job is left; its end arrives in the channel. Intent first."""
        if self.run.state.job.stop_requested is None:
            self.run.record(StopRequested(why=why))
        with_reconnects(self.run, "stopping the job", lambda: self.run.host.stop_job(STOP_GRACE_S), no_limit)

    def tick(self) -> None:
        """Limits are held and the heart beats."""
        run, now = self.run, self.clock.monotonic()
        # A laptop that slept has not listened: of what passed meanwhile only a look's worth is silence.
        self.silent_s += min(now - self.looked_at, LOOK_EVERY_S)
        self.looked_at = now
        if run.state.job.stop_requested is None and not run.state.job.ended:
            if run.state.cost.stop_at and self.clock.now() >= run.state.cost.stop_at:
                self.stop(run.state.cost.stop_why)
            elif self.stalled():
                self.stop("stalled")
        record_if_due(run, run.state.job.step or "", log_bytes=self.mirror.received)
        if self.pull_due and not run.state.job.ended:
            self.pull_early(now)

    def pull_early(self, now: float) -> None:
        """Artifacts that are wanted during the run are here as of now, unless the limit ends a pull. Raises SshLost."""
        for entry in self.run.spec.job.artifacts:
            if entry.every_sec and now >= self.pull_due[entry.label]:
                pull(self.run, entry, partial(enforce, self.run))
                self.pull_due[entry.label] = self.clock.monotonic() + entry.every_sec

    def stalled(self) -> bool:
        """Whether the log has been silent for longer than the config bears."""
        limit = self.run.spec.job.run.stall_timeout_minutes
        return limit is not None and self.silent_s >= timedelta(minutes=limit).total_seconds()

    def keep_sample(self, sample: Sample) -> None:
        """The sample is a row of metrics.jsonl. Telemetry never ends a run: a full disk loses the row."""
        row = {"ts_utc": self.clock.now().isoformat(), **sample.row}
        try:
            with self.run.dir.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            if not self.warned:
                self.warned = True
                self.run.record(Retried(what="keeping metrics", error=str(error), in_sec=0.0))


def lost_job(run: Run) -> PodKilled:
    """The error for a job that vanished with its container."""
    from_api = run.world.cloud.get(run.state.pod.id or "")
    return killed(run, from_api)
