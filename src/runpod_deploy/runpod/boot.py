"""How far a pod's boot has come, told from its status and the host's log. Knows the log's words; acts on nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..clock import Clock
from ..errors import DeployError
from ..pods import Pod
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
LOOK_EVERY_S = 15.0
"""How often the log is asked for: each look is a request."""
QUIET_S = 1.5
TAIL = 50

ReadLog = Callable[[str, int, float], list[LogLine]]


class BootWatch:
    """Stages of booting pods. Remembers the last look at each log for a while."""

    def __init__(self, clock: Clock, read_log: ReadLog) -> None:
        self._clock = clock
        self._read_log = read_log
        self._looked: dict[str, tuple[float, str]] = {}

    def stage(self, pod: Pod) -> str:
        """The stage; the log is only asked while the status leaves it open."""
        if pod.status == "PROVISIONING" and pod.datacenter_id is None:
            return PLACING
        if pod.uptime_s is not None:
            return SSHD if pod.address else STARTING
        return self._from_log(pod)

    def _from_log(self, pod: Pod) -> str:
        looked_at, stage = self._looked.get(pod.id, (float("-inf"), PLACING))
        if self._clock.monotonic() - looked_at < LOOK_EVERY_S:
            return stage
        try:
            stage = told_by(self._read_log(pod.id, TAIL, QUIET_S), pod.status)
        except DeployError:
            # A stage is for the eye: no run fails for want of it.
            stage = without_log(pod.status)
        self._looked[pod.id] = (self._clock.monotonic(), stage)
        return stage


def told_by(lines: Iterable[LogLine], status: str) -> str:
    """The stage that the host's last telling line stands for."""
    for line in reversed([line.text.lower() for line in lines if line.source == "system"]):
        if any(text in line for text in STARTED_TEXTS):
            return STARTING
        if any(text in line for text in PULLING_TEXTS):
            return IMAGE_PULL
    return without_log(status)


def without_log(status: str) -> str:
    """The stage as the status alone tells it."""
    return PLACING if status == "PROVISIONING" else IMAGE_PULL
