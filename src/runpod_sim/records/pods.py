"""A pod as a record: its spec, its status, its cost, its logs. Knows no HTTP and starts nothing."""

from __future__ import annotations

import secrets
import string
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from .catalogue import Place
from .meter import Meter

PROVISIONING, STARTING, RUNNING = "PROVISIONING", "STARTING", "RUNNING"
EXITED, ERROR, TERMINATED = "EXITED", "ERROR", "TERMINATED"
ACCOUNT = "account"
"""The caller of a request that was sent with the account's key rather than with a pod's own."""
NOBODY = ""
"""The caller of a request without a key."""
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
    """Everything that the cloud knows about one pod."""

    id: str
    spec: dict[str, Any]
    """The create call's body, with its defaults filled in."""
    place: Place
    units: int
    """GPUs, or vCPUs."""
    usd_per_hour: float
    created_at: float
    key: str
    """The pod-scoped API key."""
    token: str
    """The end of the SSH proxy's user name."""
    cuda: str | None = None
    status: str = PROVISIONING
    started_at: float | None = None
    """When the container was last made or resumed, for the API."""
    up_at: float | None = None
    """When PID 1 started; None while there is no container."""
    port: int | None = None
    """The public port of its SSH; None until it is mapped."""
    public_ports: dict[str, int] = field(default_factory=dict)
    """The public port of each other port, such as 8888/http, where pods have networks of their own."""
    stale_port: int | None = None
    """That port before the pod was resumed."""
    stale_until: float = 0.0
    """The API shows the stale port until this instant."""
    ended_at: float | None = None
    how: str | None = None
    """Why it was stopped or ended: stopped, deleted, self-stopped, self-deleted, died, balance, simulator."""
    hidden_until: float = 0.0
    listed_until: float = 0.0
    """A deleted pod is listed until then."""
    listed_as: str | None = None
    """The status that the API shows until then."""
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The faults that apply to it: parameters by kind."""
    meter: Meter = field(default_factory=Meter)
    logs: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    last_change: str = "Rented by User"
    changed_at: float = 0.0
    """When that was; 0: at the creation."""

    @property
    def is_gpu(self) -> bool:
        """Whether it is a GPU pod."""
        return "gpu" in self.spec

    @property
    def uses_machine(self) -> bool:
        """Whether it holds GPUs or vCPUs."""
        return self.status in UP

    @property
    def shown_status(self) -> str:
        """The status that the API shows."""
        if self.status in UP and "running-at-once" in self.faults:
            return self.listed_as or RUNNING
        return self.listed_as or self.status

    @property
    def was_resumed(self) -> bool:
        """Whether it was stopped and started again."""
        return self.stale_until > 0

    def shown_port(self, at: float) -> int | None:
        """The SSH port that the API shows."""
        return self.stale_port if at < self.stale_until else self.port

    def volume_id(self) -> str | None:
        """Its network volume, if any."""
        network = self.spec["mounts"].get("network") or []
        return network[0]["volumeId"] if network else None

    def log(self, at: float, source: str, text: str) -> None:
        """The pod's logs have this line, with a millisecond of its own: clients continue streams after an instant."""
        last = self.logs[-1].at if self.logs else 0.0
        self.logs.append(LogLine(max(round(at, 3), round(last + 0.001, 3)), source, text))

    def rates(self) -> dict[str, float]:
        """The present rates in USD per hour, by kind of cost."""
        persistent = self.spec["mounts"].get("persistent", {}).get("size", 0)
        if self.status in UP:
            kind = "gpu" if self.is_gpu else "cpu"
            return {kind: self.usd_per_hour, "disk": (self.spec["disk"] + persistent) * DISK_USD}
        if self.status in (EXITED, ERROR):
            return {"disk": persistent * STOPPED_DISK_USD}
        return {}

    def note(self, change: str, at: float) -> None:
        """The older API tells this as the last change of the pod's status."""
        self.last_change, self.changed_at = change, at

    def become(self, status: str, at: float) -> None:
        """The pod has this status, and its meter the rates that go with it."""
        self.status = status
        self.meter.set_rates(at, self.rates())
        if status not in UP:
            self.up_at = None


def moved(pod: Pod, at: float) -> Pod:
    """The pod after RunPod has moved it to another machine: a new id and an empty disk, but the same environment."""
    return replace(
        pod, id=new_id(), created_at=at, key=f"rpa_{secrets.token_hex(20).upper()}", token=secrets.token_hex(4),
        started_at=None, up_at=None, port=None, public_ports={}, faults={}, meter=Meter(), logs=deque(maxlen=LOG_LINES),
    )  # fmt: skip


def new_id(length: int = 14) -> str:
    """Lower-case letters and digits, as the cloud makes them."""
    alphabet = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(length))
