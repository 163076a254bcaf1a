"""A pod as a run needs it: commands, transfers, the job and the guard. OpenSSH keeps it, and so do the tests' pods."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .transfer.values import Moved, OnProgress, Pull, Push


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command on the pod ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class LogChunk:
    """The next bytes of the job's log."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement on the pod: a row of metrics.jsonl without its time."""

    row: dict[str, object]


@dataclass(frozen=True, slots=True)
class JobEnd:
    """The job is over; all of its log has been delivered before this."""

    exit_code: int | None
    """None if the job vanished without leaving a status: killed with its container."""
    stopped: bool = False
    """Whether somebody stopped it, rather than that it ended by itself."""


Frame = LogChunk | Sample | JobEnd


class Follow(Protocol):
    """One open channel that streams the job's log, samples and end."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time. Raises SshLost when the connection is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTerms:
    """When the guard on the pod acts, and how."""

    deadline_at: datetime
    """Hard end: stop the job and release."""
    idle_s: int
    """Release if the job has ended, or none was ever started, for so long."""
    on_failure: str
    """delete, stop or preserve: how to release a pod whose volume may hold results."""
    api_base_url: str


class Host(Protocol):
    """A pod that answers over SSH. Every method raises SshLost when the connection fails for good."""

    def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        timeout_s: float,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Reply:
        """The ended command. Output goes to on_output as it comes, and b"" each second without any.

        Raises TimeoutError, having killed it.
        """

    def push(self, transfer: Push, on_progress: OnProgress | None = None) -> Moved:
        """The remote side equals the local one. Raises StagingFailed."""

    def pull(self, transfer: Pull, on_progress: OnProgress | None = None) -> Moved | None:
        """The local side holds the remote one, verified; None if there is nothing at that remote path."""

    def arm(self, terms: GuardTerms) -> str:
        """Gives the guard its terms, starting it if need be. Empty once it has proved that it lives; else why not."""

    def disarm(self, *, from_next_start: bool) -> None:
        """The guard does nothing until it is armed again; at once, or from the container's next start on."""

    def launch(self, script: bytes) -> int:
        """The job's process id; the job was started once, however often this is called."""

    def follow(self, offset: int) -> AbstractContextManager[Follow]:
        """A channel that starts at this byte of the log."""

    def stop_job(self, grace_s: float) -> None:
        """No process of the job is left: TERM, and KILL after the grace."""

    def close(self) -> None:
        """No connection is left open."""
