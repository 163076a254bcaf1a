"""The inside of a pod in memory, behind the `Host` protocol. Knows one job that lasts a given time; knows no SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runpod_deploy.errors import SshLost, StagingFailed
from runpod_deploy.machine.clock import Clock
from runpod_deploy.pod.protocol import Follow, Frame, GuardTerms, JobEnd, Lease, LogChunk, Notice, Reply
from runpod_deploy.pod.shell import presets
from runpod_deploy.pod.transfer.values import Moved, OnProgress, Progress, Pull, Push


@dataclass
class FakeHost:
    """The inside of one pod. `on_effect` is called around every side effect with its name, and may raise."""

    clock: Clock
    on_effect: Callable[[str], None] | None = None
    job_lasts_s: float = 5.0
    job_exit_code: int | None = 0
    log: bytes = b"hello\nDONE\n"
    results: dict[str, bytes] = field(default_factory=lambda: {"/workspace/out": b"result"})
    """The files on the pod once the job has run, by remote path."""
    lost_links: tuple[str, ...] = ()
    """Links that lead nowhere, in each artifact."""
    empty_folders: tuple[str, ...] = ()
    """Remote paths at which there is a folder without files."""
    pull_lasts_s: float = 0.0
    guard_lives: bool = True
    stop_fails: bool = False
    """Whether the pod cannot stop the job."""
    mute: bool = False
    """Whether the follow channel brings nothing at all."""
    garbage: bool = False
    """Whether the follow channel never brings anything that makes sense."""
    notices: list[Notice] = field(default_factory=list)
    """What the follow channel tells before anything else, once."""
    offsets: list[int] = field(default_factory=list)
    """The byte of the log from which each follow channel was asked for."""
    alive: Callable[[], bool] = lambda: True
    """Whether the pod still runs."""
    starts: int = 0
    started_at: float | None = None
    stopped_at: float | None = None
    commands: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    """Every pull that was asked for, in order."""
    armed: GuardTerms | None = None
    leases: list[tuple[str, str]] = field(default_factory=list)
    """Claim and holder of each lease that was taken, in order."""
    note: bytes = b""
    touched_at: float | None = None
    """When a client was last at work."""

    def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        timeout_s: float,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """The command is noted; it succeeds unless it is `false`."""
        text = command.removeprefix(presets(None))
        self._touch(f"run {text}")
        self.commands.append(text)
        if stdin:
            self.files[text] = stdin
        return Reply(1 if text == "false" else 0, b"", b"")

    def push(self, transfer: Push, on_progress: OnProgress | None = None) -> Moved:
        """The destination is recorded with the label of the transfer."""
        if on_progress:
            on_progress(Progress(0, 0, 1, 1))
        self._touch(f"push {transfer.label}")
        self.files[transfer.destination] = transfer.label.encode()
        return Moved(files=1, bytes_total=1, bytes_transferred=1)

    def pull(self, transfer: Pull, on_progress: OnProgress | None = None) -> Moved | None:
        """The result is written to its local path."""
        self.pulls.append(transfer)
        self._touch(f"pull {transfer.label}")
        for second in range(int(self.pull_lasts_s)):
            self.clock.sleep(1.0)
            if on_progress:
                on_progress(Progress(0, second, 1, int(self.pull_lasts_s)))
        if transfer.remote_path in self.empty_folders:
            transfer.local_path.mkdir(parents=True, exist_ok=True)
            return Moved(files=0, bytes_total=0, bytes_transferred=0, sha256="0" * 64)
        data = self.results.get(transfer.remote_path)
        if data is None:
            return None
        path: Path = transfer.local_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        size = len(data)
        return Moved(files=1, bytes_total=size, bytes_transferred=size, sha256="0" * 64, unresolved=self.lost_links)

    def arm(self, terms: GuardTerms) -> str:
        """The terms are kept."""
        self._touch("arm")
        self.armed = terms
        return "" if self.guard_lives else "it does not run"

    def disarm(self, *, from_next_start: bool) -> None:
        """The terms are forgotten, unless they hold until the next start."""
        self._touch("disarm")
        if not from_next_start:
            self.armed = None

    def launch(self, script: bytes) -> int:
        """The job runs, started once."""
        self._alive_or_lost()
        self._effect("before launch")
        if self.started_at is None:
            self.started_at = self.clock.monotonic()
            self.starts += 1
        self._effect("after launch")
        return 4711

    @contextmanager
    def follow(self, offset: int) -> Iterator[Follow]:
        """A channel from this byte on."""
        self._alive_or_lost()
        yield FakeFollow(self, offset)

    def lease(self) -> Lease:
        """The lease as it is now."""
        self._alive_or_lost()
        self._effect("lease")
        claim, holder = self.leases[-1] if self.leases else ("", "")
        silent_s = None if self.touched_at is None else self.clock.monotonic() - self.touched_at
        pid = None if self.started_at is None else 4711
        return Lease(
            number=len(self.leases), claim=claim, holder=holder, silent_s=silent_s, job_pid=pid, note=self.note
        )

    def take_lease(self, number: int, claim: str, holder: str) -> bool:
        """Whether the lease with this number is that claim's."""
        self._touch("take_lease")
        if number == len(self.leases) + 1:
            self.leases.append((claim, holder))
        return self.leases[number - 1][0] == claim

    def leave_note(self, note: bytes) -> None:
        """The note is kept."""
        self._touch("leave_note")
        self.note = note

    def stop_job(self, grace_s: float) -> None:
        """The job is over."""
        self._touch("stop_job")
        if self.stop_fails:
            raise StagingFailed("some processes remain")
        if not self.over:
            self.stopped_at = self.clock.monotonic()

    def close(self) -> None:
        """Nothing to close."""

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        if self.started_at is None:
            return False
        return self.stopped_at is not None or self.clock.monotonic() - self.started_at >= self.job_lasts_s

    def _effect(self, where: str) -> None:
        if self.on_effect:
            self.on_effect(where)

    def _touch(self, what: str) -> None:
        self._alive_or_lost()
        self._effect(f"before {what}")
        self.clock.sleep(0.1)
        self.touched_at = self.clock.monotonic()
        self._effect(f"after {what}")

    def _alive_or_lost(self) -> None:
        if not self.alive():
            raise SshLost("connection closed")


class FakeFollow:
    """Delivers half of the log at once, and the other half and the end when the job is over."""

    def __init__(self, host: FakeHost, offset: int) -> None:
        self.host = host
        self.offset = offset
        host.offsets.append(offset)

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; time passes only when there is none."""
        host = self.host
        host._alive_or_lost()
        host._effect("read")
        host.touched_at = host.clock.monotonic()
        if host.notices:
            return host.notices.pop(0)
        if host.garbage:
            raise SshLost("SSH: the follow channel is out of step")
        if host.mute:
            host.clock.sleep(timeout_s)
            return None
        half = len(host.log) // 2
        known = len(host.log) if host.over else half
        if self.offset < known:
            data, self.offset = host.log[self.offset : known], known
            return LogChunk(data)
        if host.over:
            stopped = host.stopped_at is not None
            return JobEnd(143 if stopped else host.job_exit_code, stopped=stopped)
        host.clock.sleep(timeout_s)
        return None
