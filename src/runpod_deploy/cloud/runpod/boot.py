"""How far a pod's boot has come, told from its status and the host's log. Knows the log's words; acts on nothing."""

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
"""How long after a pod was first seen its log is asked for, and how often then: rarely, since fifty pods that boot
share the sixty requests a minute of one account."""
QUIET_S = 1.5
TAIL = 50

ReadLog = Callable[[str, int, float], list[LogLine]]


class BootWatch:
    """Stages of booting pods, and what their logs have told so far."""

    def __init__(self, clock: Clock, read_log: ReadLog) -> None:
        self._clock = clock
        self._read_log = read_log
        self._look_at: dict[str, float] = {}
        self._told: dict[str, str] = {}

    def stage(self, pod: Pod) -> str:
        """The stage; the log is only asked while the status leaves it open."""
        if pod.status == "PROVISIONING" and pod.datacenter_id is None:
            return PLACING
        if pod.uptime_s is not None:
            return SSHD if pod.address else STARTING
        now = self._clock.monotonic()
        if now >= self._look_at.setdefault(pod.id, now + FIRST_LOOK_S):
            self._look(pod)
        return self._told.get(pod.id) or without_log(pod.status)

    def _look(self, pod: Pod) -> None:
        """The log was asked; what it told is kept until the next look."""
        try:
            told = told_by(self._read_log(pod.id, TAIL, QUIET_S))
        except DeployError:
            # A stage is for the eye: no run fails for want of it.
            told = None
        self._told.pop(pod.id, None)
        if told is not None:
            self._told[pod.id] = told
        self._look_at[pod.id] = self._clock.monotonic() + LOOK_EVERY_S


def told_by(lines: Iterable[LogLine]) -> str | None:
    """The stage that the host's last telling line stands for; None if no line tells."""
    for line in reversed([line.text.lower() for line in lines if line.source == "system"]):
        if any(text in line for text in STARTED_TEXTS):
            return STARTING
        if any(text in line for text in PULLING_TEXTS):
            return IMAGE_PULL
    return None


def without_log(status: str) -> str:
    """The stage as the status alone tells it."""
    return PLACING if status == "PROVISIONING" else IMAGE_PULL
