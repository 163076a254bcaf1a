"""From a job that runs to a job that is over."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta

from ..errors import BalanceSpent, DeployError, LimitReached, PodKilled, SshLost, SshUnusable, StagingFailed
from ..machine.clock import within
from ..machine.files import open_own
from ..machine.limited import limited_by
from ..machine.limits import END_WITHIN_S, LONGEST_PAUSE_S, QUICK_LOSS_S, QUICK_LOSSES, SAMPLES_BYTES
from ..pod.protocol import Follow, Frame, JobEnd, LogChunk, Notice, Sample
from ..record.events import (
    ConnectionLost,
    ConnectionRestored,
    Event,
    FailureMarkerSeen,
    JobEnded,
    Retried,
    StopRequested,
)
from ..run import Run
from ..spec.strict_json import dumps
from . import heartbeat, late, price_changes
from .another_machine import settle_race
from .artifacts import pull
from .late import UNSEEN_FOR_S
from .leaving import Detach
from .limits import begin_closing, closing_left_s, never, run_limit
from .notices import ended, mirror_of, take_notice
from .reconnect import RECONNECT_EVERY_S, killed, reconnect
from .stopping import stop_on_pod

# How long one read may wait before the clock is looked at again.
LOOK_EVERY_S = 1.0
LATE_LOOK_EVERY_S = 60.0
OPEN_WITHIN_S = 60.0
# The API is asked each time, whose requests all runs of an account share.
STAY_EVERY_S = 30.0
WAITING = "waiting for the pod until the limit, or until `runpod-deploy stop`, since it bills"


def watch(run: Run) -> None:
    """The job is over and the journal says why.

    Raises Detach if the run was started to be left, or neither the pod nor the API can be reached any more; PodKilled
    if the pod is gone.
    """
    if run.state.job.ended:
        return
    if run.detach:
        raise Detach("asked")
    try:
        Watcher(run).until_over()
    except (SshLost, SshUnusable) as error:
        run.show("tool", f"{error.message}\n{error.hint}\n".encode())
        raise Detach("ssh_lost") from error


class Watcher:
    """One process that watches one job: its log, its limits, its end."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.clock = run.world.clock
        self.mirror = mirror_of(run)
        self.looked_at = self.clock.monotonic()
        self.silent_s = 0.0
        """Seconds in which we listened and the log did not grow."""
        self.warned = False
        self.opened_at = self.heard_at = self.looked_at
        self.stopped_at: float | None = None
        """When the job was stopped by this process."""
        self.settle_at = self.looked_at + UNSEEN_FOR_S if run.spec.any_machine else None
        self.quick_losses = 0
        """How many channels in a row were lost soon after they were opened."""
        self.late_look_at = self.looked_at + late.all_listed_in_s(run) if run.state.request.repeated else None
        """When to look whether an earlier create call has made a pod after all, which would bill beside this one."""
        repeated = [entry for entry in run.spec.job.artifacts if entry.every_sec]
        self.pull_due = {entry.label: self.clock.monotonic() + (entry.every_sec or 0) for entry in repeated}

    def until_over(self) -> None:
        """The job is over. Raises PodKilled, SshLost."""
        self.record_markers(self.mirror.catch_up())
        if self.run.state.job.stop_requested:
            self.stop(self.run.state.job.stop_requested)
        while not self.run.state.job.ended:
            try:
                self.session()
            except SshLost as error:
                self.reconnect(error)

    def session(self) -> None:
        """The job is over, or the connection broke. Raises SshLost."""
        self.tick()  # the limits hold although no channel works
        if self.run.state.job.ended:
            return
        self.opened_at = self.clock.monotonic()
        with ExitStack() as stack:
            channel = self.open(stack)
            while not self.run.state.job.ended:
                frame = channel.read(LOOK_EVERY_S)
                if frame is not None:
                    self.take(frame)
                self.tick()

    def open(self, stack: ExitStack) -> Follow:
        """The channel, which the stack closes. Raises SshLost also if it takes too long or cannot be opened, and past
        the limit: the job goes on all the same."""
        ends = never if self.run.state.job.stop_requested else run_limit(self.run)
        try:
            with within(self.clock, OPEN_WITHIN_S, "opening the channel"), limited_by(ends):
                return stack.enter_context(self.run.host.follow(self.mirror.remote_offset))
        except (TimeoutError, LimitReached, StagingFailed) as error:
            raise SshLost(str(error)) from None

    def settle_if_due(self) -> None:
        """Once a listing must show every pod: no other machine has an older pod of this run. Raises Detach."""
        if self.settle_at is not None and self.clock.monotonic() >= self.settle_at:
            self.settle_at = None
            settle_race(self.run)

    def give_up_if_due(self) -> None:
        """A job that was stopped is recorded as ended if no channel tells its end in time."""
        asked = self.run.state.job.stop_requested
        if asked is not None and self.stopped_at is not None and self.end_is_overdue(self.stopped_at):
            self.run.record(JobEnded(exit_code=None, why=asked, log_bytes=self.mirror.received))

    def end_is_overdue(self, stopped_at: float) -> bool:
        """Whether the end of a job that was stopped then should have been heard by now."""
        now, grace_s = self.clock.monotonic(), self.run.spec.job.budget.pull_grace_sec
        unheard = now - max(stopped_at, self.heard_at) > END_WITHIN_S
        return unheard or self.quick_losses >= QUICK_LOSSES or now - stopped_at > grace_s

    def reconnect(self, error: SshLost) -> None:
        """The pod answers again. A channel that never works is tried less often. Raises PodKilled, SshLost."""
        lost_at = self.clock.monotonic()
        self.quick_losses = self.quick_losses + 1 if lost_at - self.opened_at < QUICK_LOSS_S else 0
        self.run.record(ConnectionLost(error=error.message, log_bytes=self.mirror.received))
        self.until_it_answers()
        lost_sec = round(self.clock.monotonic() - lost_at, 3)
        self.run.record(ConnectionRestored(log_bytes=self.mirror.received, lost_sec=lost_sec))
        self.silent_s = 0.0
        if self.quick_losses > 1 and self.run.state.job.stop_requested is None:
            self.clock.sleep(self.pause_s())

    def until_it_answers(self) -> None:
        """The pod answers again. While the API says that it runs, it is not left: nobody knows whether its guard works.

        Raises SshLost if the API does not say that, LimitReached when only the time for pulls is left after the limit.
        """
        every_s = RECONNECT_EVERY_S
        while True:
            try:
                return reconnect(self.run, never, every_s, self.until_closing)
            except SshLost as error:
                if not error.runs:
                    raise
                every_s = STAY_EVERY_S
                self.run.record(Retried(what=WAITING, error=error.message, in_sec=every_s))

    def until_closing(self) -> None:
        """Returns while there is time to wait for a pod that runs and does not answer. Raises LimitReached."""
        stop_at = self.run.state.cost.stop_at
        if stop_at is not None and self.clock.now() >= stop_at:
            begin_closing(self.run)
        is_closing = self.run.closing_until is not None
        if is_closing and closing_left_s(self.run) <= self.run.spec.job.budget.pull_grace_sec:
            raise LimitReached(
                f"pod {self.run.state.pod.id} runs past the limit and does not answer over SSH",
                hint="it is ended now, whether its guard works or not",
                kind=self.why_stopped(),
            )

    def why_stopped(self) -> str:
        """Why the job was stopped, as far as it was."""
        return self.run.state.job.stop_requested or self.run.state.cost.stop_why

    def pause_s(self) -> float:
        """How long to wait before a channel that does not work is tried again: no longer than until the limit."""
        stop_at = self.run.state.cost.stop_at
        left_s = (stop_at - self.clock.now()).total_seconds() if stop_at else LONGEST_PAUSE_S
        return max(0.0, min(LONGEST_PAUSE_S, 2.0 ** min(10, self.quick_losses - 2), left_s))

    def take(self, frame: Frame) -> None:
        """The content of the frame is kept and recorded."""
        self.heard_at = self.clock.monotonic()
        match frame:
            case LogChunk():
                self.silent_s = 0.0
                self.run.show("job", frame.data)
                self.record_markers(self.mirror.take(frame.data))
            case Sample():
                self.keep_sample(frame)
            case Notice():
                self.silent_s = 0.0 if frame.word == "truncated" else self.silent_s
                self.record_markers(take_notice(self.run, self.mirror, frame))
            case JobEnd():
                self.record_markers(self.mirror.scanner.finish())
                self.end(frame)

    def record_markers(self, found: Iterable[Event]) -> None:
        """The markers in the log are recorded; a configured failure marker stops the job."""
        for event in found:
            if isinstance(event, FailureMarkerSeen) and event.marker in self.run.state.job.failure_markers_seen:
                continue
            self.run.record(event)
            if isinstance(event, FailureMarkerSeen) and event.configured:
                self.stop("failure_marker")

    def end(self, end: JobEnd) -> None:
        """The end of the job is recorded. Raises PodKilled if it left no status: its container died with it."""
        event = ended(self.run, end, self.mirror)
        if end.exit_code is None and event.why == "exited":
            raise lost_job(self.run)
        self.run.record(event)

    def stop(self, why: str) -> None:
        """No process of the job is left, and its end arrives in the channel; or the pod cannot stop it, and the run
        goes on as if it had ended. The intent is recorded first."""
        if self.run.state.job.stop_requested is None:
            self.run.record(StopRequested(why=why))
        if not stop_on_pod(self.run) and not self.run.state.job.ended:
            self.run.record(JobEnded(exit_code=None, why=why, log_bytes=self.mirror.received))
        self.stopped_at = self.clock.monotonic()

    def tick(self) -> None:
        """The limits are enforced, and a heartbeat and the early pulls are made when they are due."""
        run, now = self.run, self.clock.monotonic()
        # A laptop that slept has not listened: only one look's time of the sleep counts as silence.
        self.silent_s += min(now - self.looked_at, LOOK_EVERY_S)
        self.looked_at = now
        if run.state.job.stop_requested is None and not run.state.job.ended:
            if run.state.cost.stop_at and self.clock.now() >= run.state.cost.stop_at:
                self.stop(run.state.cost.stop_why)
            elif self.stalled():
                self.stop("stalled")
        if not run.state.job.ended:
            self.give_up_if_due()
            self.settle_if_due()
        if run.detach and not run.state.job.ended:
            raise Detach("asked")
        heartbeat.record_if_due(run, run.state.job.step or "", log_bytes=self.mirror.received)
        price_changes.follow_if_due(run)
        self.end_late_pods(now)
        if self.pull_due and not run.state.job.ended:
            self.pull_early(now)

    def end_late_pods(self, now: float) -> None:
        """A pod of an earlier create call does not bill until the release; a look that fails is made up for."""
        if self.late_look_at is not None and now >= self.late_look_at and not self.run.state.job.ended:
            self.late_look_at = None if late.end_listed(self.run) else now + LATE_LOOK_EVERY_S

    def pull_early(self, now: float) -> None:
        """Each artifact that is due is here as it is now, unless the limit ends its pull. Raises SshLost."""
        for entry in self.run.spec.job.artifacts:
            if entry.every_sec and now >= self.pull_due[entry.label]:
                pull(self.run, entry, run_limit(self.run), while_job_runs=True)
                self.pull_due[entry.label] = self.clock.monotonic() + entry.every_sec

    def stalled(self) -> bool:
        """Whether the log has been silent for longer than the config allows."""
        limit = self.run.spec.job.run.stall_timeout_minutes
        return limit is not None and self.silent_s >= timedelta(minutes=limit).total_seconds()

    def keep_sample(self, sample: Sample) -> None:
        """The sample is a row of metrics.jsonl. Telemetry never ends a run: on a full disk the row is lost."""
        row = {"ts_utc": self.clock.now().isoformat(), **sample.row}
        try:
            with open(self.run.dir.metrics, "a", encoding="utf-8", opener=open_own) as file:
                if file.tell() > SAMPLES_BYTES:
                    raise OSError(errno.EFBIG, f"{file.name} has more than {SAMPLES_BYTES >> 30} GiB")
                file.write(dumps(row) + "\n")
        except OSError as error:
            if not self.warned:
                self.warned = True
                self.run.record(Retried(what="keeping metrics", error=str(error), in_sec=0.0))


def lost_job(run: Run) -> PodKilled | BalanceSpent:
    """The error for a job that vanished with its container. The pod told us of it, so that it exists and answers."""
    try:
        pod = run.world.cloud.get(run.state.pod.id or "")
    except DeployError:
        pod = None
    return killed(run, pod.status if pod else "RUNNING")
