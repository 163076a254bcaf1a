"""The stage of a pod's boot, and the host's log while it boots. Knows the texts of that log; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...errors import DeployError
from ...machine.clock import Clock
from ..values import LogLine, Pod

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
FIRST_LOOK_S, LONGEST_PAUSE_S = 5.0, 120.0
"""When a pod's log is first read after the pod was first seen. From then on the pauses double: an image that cannot be
pulled is known soon, and fifty booting pods share the sixty requests a minute of one account."""
QUIET_S = 1.5
TAIL = 50

ReadLog = Callable[[str, int, float], list[LogLine]]


class BootStages:
    """The stages of booting pods, with what their logs have shown so far."""

    def __init__(self, clock: Clock, read_log: ReadLog) -> None:
        self._clock = clock
        self._read_log = read_log
        self._look_at: dict[str, float] = {}
        self._pause_s: dict[str, float] = {}
        self._lines: dict[str, list[LogLine]] = {}

    def stage(self, pod: Pod) -> str:
        """The stage; the log is read again if that is due."""
        if pod.status == "PROVISIONING" and pod.datacenter_id is None:
            return PLACING
        now = self._clock.monotonic()
        if now >= self._look_at.setdefault(pod.id, now + FIRST_LOOK_S):
            self.read(pod.id)
        if pod.address is not None:
            return SSHD
        if pod.uptime_s is not None:
            return STARTING
        return stage_in_log(self.lines(pod.id)) or stage_by_status(pod.status)

    def lines(self, pod_id: str) -> list[LogLine]:
        """The end of the pod's log, as it was last read."""
        return self._lines.get(pod_id, [])

    def read(self, pod_id: str) -> list[LogLine]:
        """The end of the pod's log as it is now, which counts as a look; if it cannot be read, as it was before."""
        try:
            self._lines[pod_id] = self._read_log(pod_id, TAIL, QUIET_S) or self.lines(pod_id)
        except DeployError:
            pass  # what the host says only explains: no run fails because it is unknown
        pause_s = self._pause_s.get(pod_id, FIRST_LOOK_S) * 2
        self._pause_s[pod_id] = min(LONGEST_PAUSE_S, pause_s)
        self._look_at[pod_id] = self._clock.monotonic() + self._pause_s[pod_id]
        return self.lines(pod_id)


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
