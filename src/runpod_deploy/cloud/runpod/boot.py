"""The stage of a pod's boot, read from its status and the host's log. Knows the texts of that log; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...errors import DeployError
from ...machine.clock import Clock
from ..values import Pod
from .logs import LogLine

PLACING, IMAGE_PULL, STARTING, SSHD = "placing", "image_pull", "starting", "sshd"
PULLING_TEXTS = (
    "create container",
    "pulling",
    "pull complete",
    "downloading",
    "extracting",
    "waiting",
    "image",
)
STARTED_TEXTS = ("start container", "started container", "container started")
FIRST_LOOK_S, LOOK_EVERY_S = 5.0, 120.0
"""When a pod's log is first read after the pod was first seen, and how often from then on: rarely, since fifty
booting pods share the sixty requests a minute of one account."""
QUIET_S = 1.5
TAIL = 50

ReadLog = Callable[[str, int, float], list[LogLine]]


class BootStages:
    """The stages of booting pods, with what their logs have shown so far."""

    def __init__(self, clock: Clock, read_log: ReadLog) -> None:
        self._clock = clock
        self._read_log = read_log
        self._look_at: dict[str, float] = {}
        self._from_log: dict[str, str] = {}

    def stage(self, pod: Pod) -> str:
        """The stage; the log is read only while the status does not decide it."""
        if pod.status == "PROVISIONING" and pod.datacenter_id is None:
            return PLACING
        if pod.uptime_s is not None:
            return SSHD if pod.address else STARTING
        now = self._clock.monotonic()
        if now >= self._look_at.setdefault(pod.id, now + FIRST_LOOK_S):
            self._look(pod)
        return self._from_log.get(pod.id) or stage_by_status(pod.status)

    def _look(self, pod: Pod) -> None:
        """The log has been read; the stage that it shows is kept until the next look."""
        try:
            shown = stage_in_log(self._read_log(pod.id, TAIL, QUIET_S))
        except DeployError:
            # The stage is only shown to people: no run fails because it is unknown.
            shown = None
        self._from_log.pop(pod.id, None)
        if shown is not None:
            self._from_log[pod.id] = shown
        self._look_at[pod.id] = self._clock.monotonic() + LOOK_EVERY_S


def stage_in_log(lines: Iterable[LogLine]) -> str | None:
    """The stage that the last known line of the host's log shows; None if it has no such line."""
    for line in reversed([line.text.lower() for line in lines if line.source == "system"]):
        if any(text in line for text in STARTED_TEXTS):
            return STARTING
        if any(text in line for text in PULLING_TEXTS):
            return IMAGE_PULL
    return None


def stage_by_status(status: str) -> str:
    """The stage as far as the status alone shows it."""
    return PLACING if status == "PROVISIONING" else IMAGE_PULL
