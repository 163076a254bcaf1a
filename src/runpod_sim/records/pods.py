"""A pod as a record: what was asked, what became of it, what it costs. Knows no HTTP and starts nothing."""

from __future__ import annotations

import secrets
import string
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .catalogue import Place
from .meter import Meter

PROVISIONING, STARTING, RUNNING = "PROVISIONING", "STARTING", "RUNNING"
EXITED, ERROR, TERMINATED = "EXITED", "ERROR", "TERMINATED"
ACCOUNT = "account"
"""Who asks, if it is the owner of the account rather than a pod with its own key."""
UP = (PROVISIONING, STARTING, RUNNING)
LOG_LINES = 5000
SOURCES = ("container", "system")
# USD per GB and hour: 0.10 a month while the pod runs, 0.20 for a volume whose pod is stopped.
DISK_USD, STOPPED_DISK_USD = 0.10 / 730, 0.20 / 730


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a pod's logs."""

    at: float
    source: str
    """One of SOURCES."""
    text: str


@dataclass(slots=True, kw_only=True)
class Pod:
    """Everything the cloud knows of one pod."""

    id: str
    ask: dict[str, Any]
    """The create call's body, with its defaults filled in."""
    place: Place
    units: int
    """GPUs, or vCPUs."""
    usd_per_hour: float
    created_at: float
    key: str
    """The pod-scoped API key."""
    token: str
    """What the SSH proxy's user name ends with."""
    cuda: str | None = None
    status: str = PROVISIONING
    started_at: float | None = None
    """When the container was last made or resumed, for the API."""
    up_at: float | None = None
    """When PID 1 started; None while there is no container."""
    port: int | None = None
    """Where its SSH is mapped to."""
    stale_port: int | None = None
    """Where it was mapped to before it was resumed."""
    stale_until: float = 0.0
    """That one is shown until then."""
    ended_at: float | None = None
    how: str | None = None
    hidden_until: float = 0.0
    listed_until: float = 0.0
    """A deleted pod is listed until then."""
    listed_as: str | None = None
    """The status that is shown meanwhile."""
    troubles: dict[str, dict[str, Any]] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    logs: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    last_change: str = "Rented by User"

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU pod."""
        return "gpu" in self.ask

    @property
    def uses_machine(self) -> bool:
        """Whether it holds GPUs or vCPUs."""
        return self.status in UP

    @property
    def shown_status(self) -> str:
        """What the API says of it."""
        if self.status in UP and "running-at-once" in self.troubles:
            return self.listed_as or RUNNING
        return self.listed_as or self.status

    def shown_port(self, at: float) -> int | None:
        """Where the API says that its SSH is mapped to."""
        return self.stale_port if at < self.stale_until else self.port

    def volume_id(self) -> str | None:
        """Its network volume, if any."""
        network = self.ask["mounts"].get("network") or []
        return network[0]["volumeId"] if network else None

    def log(self, at: float, source: str, text: str) -> None:
        """The pod's logs have this line; each has a millisecond of its own, because streams resume after an instant."""
        last = self.logs[-1].at if self.logs else 0.0
        self.logs.append(LogLine(max(round(at, 3), round(last + 0.001, 3)), source, text))

    def rates(self) -> dict[str, float]:
        """What it costs now, in USD per hour by kind."""
        persistent = self.ask["mounts"].get("persistent", {}).get("size", 0)
        if self.status in UP:
            kind = "gpu" if self.is_gpu else "cpu"
            return {kind: self.usd_per_hour, "disk": (self.ask["disk"] + persistent) * DISK_USD}
        if self.status in (EXITED, ERROR):
            return {"disk": persistent * STOPPED_DISK_USD}
        return {}

    def become(self, status: str, at: float) -> None:
        """It has this status, and its meter turns accordingly."""
        self.status = status
        self.meter.turn(at, self.rates())
        if status not in UP:
            self.up_at = None


def new_id(length: int = 14) -> str:
    """Lower-case letters and digits, as the cloud makes them."""
    alphabet = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(length))
