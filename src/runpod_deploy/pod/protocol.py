"""A pod as a run needs it: the protocol for commands, transfers, the job and the guard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .transfer.values import Moved, OnProgress, Pull, Push


@dataclass(frozen=True, slots=True)
class Reply:
    """The exit code and output of a command on the pod."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class LogChunk:
    """The next bytes of the job's log."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement on the pod: a row of metrics.jsonl without its time stamp."""

    row: dict[str, object]


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The end of the job; all of its log comes before this frame."""

    exit_code: int | None
    """The job's exit code; None if it left none, because it was killed with its container."""
    stopped: bool = False
    """Whether somebody stopped the job; else it ended by itself."""
    flaw: str = ""
    """The kind of failure that the pod saw in an end that would look fine: `left_running`, `preamble_failed`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something happened on the pod to the job's log or processes, or to a part of ours."""

    word: str
    """`guard`, `folder`, `truncated`, `left` or `idle`: see scripts/follow.sh."""
    lines: tuple[str, ...] = ()


Frame = LogChunk | Sample | Notice | JobEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who carries out the run, as its pod has it. All of it is the pod's word."""

    number: int = 0
    """How often the lease was taken; 0: never."""
    claim: str = ""
    """48 hexadecimal digits: the run folder that took it last, and the proof that it may: see phases/lease.py."""
    holder: str = ""
    """The machine that took it last, as it named itself."""
    silent_s: float | None = None
    """Seconds since a client was last at work on the pod; None if none ever was."""
    job_pid: int | None = None
    """The job's process, if the job was ever started."""
    note: bytes = b""
    """What the holder has left for another machine that goes on."""


class Follow(Protocol):
    """One open channel that streams the job's log, samples and end."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came within timeout_s seconds. Raises SshLost if the connection is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTerms:
    """When the guard on the pod acts, and how it releases the pod."""

    deadline_at: datetime
    """At this instant (UTC) the guard stops the job and releases the pod."""
    idle_s: int
    """Seconds without a running job and without a client, after which the guard releases the pod."""
    ended_s: int | None = None
    """The same after the end of a job; None: `idle_s`."""
    on_failure: str
    """delete, stop or preserve: how to release a pod on which a job was started. One without a job is deleted."""
    api_base_url: str
    """The origin of the API that the guard calls, if the pod's own environment names none."""
    secrets: tuple[str, ...] = ()
    """Files on the pod that the guard removes when the job has ended, and before it stops the pod."""


class Host(Protocol):
    """A pod that answers over SSH. Every method raises SshLost if the connection is lost and retries do not help."""

    def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        timeout_s: float,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """The result of a command that has ended. on_output gets the output as it comes, and b"" each second without.

        Raises TimeoutError after timeout_s seconds; the command is then killed.
        """

    def push(self, transfer: Push, on_progress: OnProgress | None = None) -> Moved:
        """The remote side equals the local one. Raises StagingFailed."""

    def pull(self, transfer: Pull, on_progress: OnProgress | None = None) -> Moved | None:
        """The local side holds the remote one, verified; None if there is nothing at that remote path."""

    def arm(self, terms: GuardTerms) -> str:
        """The guard has its terms; it is started if none runs. Empty once it has proved that it works; else why not."""

    def disarm(self, *, from_next_start: bool) -> None:
        """The guard does nothing until it is armed again; at once, or from the container's next start on."""

    def launch(self, script: bytes) -> int:
        """The job's process id. The job is started once, however often this is called. Raises StagingFailed."""

    def follow(self, offset: int) -> AbstractContextManager[Follow]:
        """A channel that starts at this byte of the log."""

    def lease(self) -> Lease:
        """The lease as it is now. This look leaves no trace, so the one who looks does not count as a client."""

    def take_lease(self, number: int, claim: str, holder: str) -> bool:
        """Whether the lease with this number is that claim's: of several that try, one gets it."""

    def leave_note(self, note: bytes) -> None:
        """The note lies on the pod for whoever takes the lease next."""

    def stop_job(self, grace_s: float) -> None:
        """No process of the job is left: TERM, and KILL after grace_s seconds. Raises StagingFailed if some remain."""

    def close(self) -> None:
        """No connection is left open."""
