"""The insides of the pods of a storm: containers that come and go, volumes that stay, the job, and the guard.

Knows the clock and the history's job; knows no process of ours and no fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from runpod_deploy.errors import SshLost
from runpod_deploy.machine.clock import Clock
from runpod_deploy.pod.protocol import Frame, GuardTerms, JobEnd, LogChunk, Notice, Reply
from runpod_deploy.pod.transfer.values import Moved, OnProgress, Progress, Pull, Push
from tests.storm.history import Job
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.guard import NO_JOB, OVER, RUNS, Api, FakeGuard, GuardFiles, Terms

MARKER, FAILURE = "DONE", "BAD NEWS"
PID = 4711
CALL_S = 0.1
PARTIAL, FINAL = b"partial\n", b"final\n"


@dataclass
class Home:
    """The control folder of one run on a volume: its guard's files, and its job."""

    guard: GuardFiles = field(default_factory=GuardFiles)
    launched_s: float | None = None
    status: JobEnd | None = None
    ended_s: float = 0.0
    stopped: bool = False
    boot: int = -1
    """The container start in which the job was launched."""
    secrets: set[str] = field(default_factory=set)
    starts: int = 0


@dataclass
class Volume:
    """A disk: the control folders on it, by run id."""

    homes: dict[str, Home] = field(default_factory=dict)

    def home(self, run_id: str) -> Home:
        """The control folder of that run."""
        return self.homes.setdefault(run_id, Home())


@dataclass
class Inside:
    """The inside of one pod: a container that runs or does not, and the volume."""

    clock: FakeClock
    job: Job
    volume: Volume
    api: Api
    """Asks the cloud to end this pod, as the guard does."""
    reachable: Callable[[], bool]
    """Whether the cloud's API answers now."""
    boot_run_id: str = ""
    boot_terms: Terms | None = None
    """None if the container's command does not start a guard."""
    guard_lives: bool = True
    up: bool = False
    boots: int = 0
    successor: str = ""
    """The run that has armed its guard last."""
    guards: dict[str, FakeGuard] = field(default_factory=dict)
    guard_killed: bool = False
    """Whether the job has killed the guard, and nobody has tried to arm it again."""
    once_unguarded: bool = False
    """Whether the job has ever killed the guard."""
    neglected: bool = False
    """Whether a process that was told of that has gone on without an attempt to arm it."""

    def boot(self) -> None:
        """The container has started."""
        self.down()
        self.up, self.guard_killed = True, False
        self.boots += 1
        if self.boot_terms is not None and self.guard_lives:
            self.start_guard(self.successor or self.boot_run_id, self.boot_terms)

    def down(self) -> None:
        """The container is gone with all of its processes."""
        for run_id in self.volume.homes:
            self.settle(run_id)
        for guard in self.guards.values():
            guard.alive = False
        self.guards, self.up = {}, False

    def start_guard(self, run_id: str, first: Terms | None) -> FakeGuard:
        """A guard runs for that run."""
        home = self.volume.home(run_id)
        guard = FakeGuard(
            self.clock,
            home.guard,
            first,
            job=lambda: self.job_of(run_id),
            stop_job=lambda: self.stop(run_id),
            api=self.api,
        )
        self.guards[run_id] = guard
        guard.start()
        return guard

    def hand_over(self, run_id: str) -> None:
        """The guard of an earlier run guards no more."""
        self.successor = run_id
        for other in [known for known in self.guards if known != run_id]:
            self.guards.pop(other).alive = False

    def job_of(self, run_id: str) -> str:
        """NO_JOB, RUNS or OVER."""
        home = self.settle(run_id)
        if home.launched_s is None:
            return NO_JOB
        return RUNS if self.runs(home) else OVER

    def runs(self, home: Home) -> bool:
        """Whether the job's processes live."""
        return self.up and home.launched_s is not None and home.status is None and home.boot == self.boots

    def settle(self, run_id: str) -> Home:
        """The control folder, once a job whose time is over has left its status."""
        home = self.volume.home(run_id)
        if self.runs(home) and home.launched_s is not None:
            end_s = home.launched_s + self.job.lasts_s
            if self.clock.monotonic() >= end_s:
                home.status, home.ended_s = JobEnd(self.job.exit_code), end_s
                home.guard.seen_s = max(home.guard.seen_s, end_s)
        return home

    def launch(self, run_id: str) -> None:
        """The job runs, unless it was ever started."""
        home = self.volume.home(run_id)
        if home.launched_s is None:
            home.launched_s, home.boot = self.clock.monotonic(), self.boots
            home.starts += 1
            if self.job.kills_guard_at_s is not None:
                self.clock.at(home.launched_s + self.job.kills_guard_at_s, lambda: self.kill_guard(run_id))

    def kill_guard(self, run_id: str) -> None:
        """The job has killed the guard that was armed for its run, if both live."""
        home, guard = self.settle(run_id), self.guards.get(run_id)
        if self.runs(home) and guard is not None and guard.alive and home.guard.terms is not self.boot_terms:
            self.guards.pop(run_id).alive = False
            self.guard_killed = self.once_unguarded = True

    def stop(self, run_id: str) -> None:
        """No process of the job is left."""
        home = self.settle(run_id)
        if home.launched_s is not None and home.status is None:
            home.stopped = True
            if self.runs(home):
                home.status, home.ended_s = JobEnd(143, stopped=True), self.clock.monotonic()

    def log(self, run_id: str) -> bytes:
        """The job's log, as far as it is written."""
        home = self.settle(run_id)
        if home.launched_s is None:
            return b""
        lasted_s = (home.ended_s if home.status else self.clock.monotonic()) - home.launched_s
        text = "hello\n"
        if lasted_s >= self.job.lasts_s / 2:
            text += f"{FAILURE}\n" if self.job.failure_marker else "half\n"
        if home.status is not None and not home.stopped and self.job.marker:
            text += f"{MARKER}\n"
        return text.encode()

    def artifact(self, run_id: str, remote_path: str) -> bytes | None:
        """The content of an artifact as it is now; None if the job has not written it."""
        home = self.settle(run_id)
        if home.launched_s is None or not self.job.leaves:
            return None
        return FINAL if home.status is not None and not home.stopped else PARTIAL


class Connected:
    """The pod's inside as one run reaches it over SSH: the `Host` protocol."""

    def __init__(self, inside: Inside, run_id: str, clock: Clock, lost: Callable[[], bool]) -> None:
        self.inside, self.run_id, self.clock, self.lost = inside, run_id, clock, lost

    def run(
        self, command: str, *, stdin: bytes = b"", timeout_s: float, on_output: Callable[[bytes], None] | None = None
    ) -> Reply:
        """The command is noted; it succeeds unless it is `false`."""
        self.touch()
        if on_output:
            on_output(b"output\n")
        home = self.inside.volume.home(self.run_id)
        if stdin:
            home.secrets.add(command)
        if command.startswith("rm -f"):
            home.secrets.clear()
        self.alive()
        return Reply(1 if command == "false" else 0, b"", b"")

    def push(self, transfer: Push, on_progress: OnProgress | None = None) -> Moved:
        """Time passes, and nothing else."""
        self.touch()
        if on_progress:
            on_progress(Progress(0, 0, 1, 1))
        return Moved(files=1, bytes_total=1, bytes_transferred=1)

    def pull(self, transfer: Pull, on_progress: OnProgress | None = None) -> Moved | None:
        """The artifact is at its local path."""
        self.touch()
        data = self.inside.artifact(self.run_id, transfer.remote_path)
        if data is None:
            return None
        if on_progress:
            on_progress(Progress(0, 0, 1, len(data)))
        transfer.local_path.parent.mkdir(parents=True, exist_ok=True)
        incoming = transfer.local_path.with_name(f".{transfer.local_path.name}.incoming")
        incoming.write_bytes(data)
        incoming.replace(transfer.local_path)
        return Moved(files=1, bytes_total=len(data), bytes_transferred=len(data), sha256="0" * 64)

    def arm(self, terms: GuardTerms) -> str:
        """The guard has its terms, if one can live there and the API answers to it."""
        self.touch()
        inside = self.inside
        inside.guard_killed = False
        if not inside.guard_lives or not inside.reachable():
            self.clock.sleep(5.0)
            return "it does not run" if not inside.guard_lives else "GET /v2/pods: no answer"
        inside.hand_over(self.run_id)
        guard = inside.guards.get(self.run_id) or inside.start_guard(self.run_id, None)
        left_s = (terms.deadline_at - self.clock.now()).total_seconds()
        guard.arm(
            Terms(
                inside.clock.monotonic() + left_s,
                terms.idle_s,
                started=terms.on_failure,
                ended_s=terms.ended_s or math.inf,
            )
        )
        return ""

    def disarm(self, *, from_next_start: bool) -> None:
        """The guard is idle: at once, or from the container's next start."""
        self.touch()
        files = self.inside.volume.home(self.run_id).guard
        if from_next_start:
            files.rest = True
        else:
            files.disarmed = True

    def launch(self, script: bytes) -> int:
        """The job runs, started once."""
        self.touch()
        self.inside.launch(self.run_id)
        return PID

    @contextmanager
    def follow(self, offset: int) -> Iterator[Following]:
        """A channel from this byte on."""
        self.alive()
        yield Following(self, offset)

    def stop_job(self, grace_s: float) -> None:
        """No process of the job is left."""
        self.touch()
        self.inside.stop(self.run_id)

    def close(self) -> None:
        """Nothing to close."""

    def touch(self) -> None:
        """A call on the pod: it takes time, and the guard knows that somebody is there. Raises SshLost."""
        self.alive()
        self.clock.sleep(CALL_S)
        self.alive()
        self.inside.volume.home(self.run_id).guard.seen_s = self.clock.monotonic()

    def alive(self) -> None:
        """Raises SshLost unless the container runs and the network is up."""
        if not self.inside.up or self.lost():
            raise SshLost("connection closed")


class Following:
    """The follow channel: the log from a byte on, and the end of the job."""

    def __init__(self, host: Connected, offset: int) -> None:
        self.host, self.offset = host, offset
        self.told = False
        """Whether the channel has told that there is no guard."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; time passes only when there is none."""
        host, inside, run_id = self.host, self.host.inside, self.host.run_id
        host.alive()
        home = inside.settle(run_id)
        if inside.guard_killed:
            if not self.told:
                self.told = True
                return Notice("guard")
            inside.neglected = True
        home.guard.seen_s = inside.clock.monotonic()
        log = inside.log(run_id)
        if self.offset < len(log):
            data, self.offset = log[self.offset :], len(log)
            return LogChunk(data)
        if home.status is not None:
            return home.status
        if not inside.runs(home):
            return JobEnd(None, stopped=home.stopped)
        host.clock.sleep(timeout_s)
        host.alive()
        return None
