"""What the cloud is asked for and what it tells: offers, asks and pods as values. Knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Stock = Literal["NONE", "LOW", "MEDIUM", "HIGH"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One GPU (or CPU flavor) in one datacenter on one cloud, as the catalogue shows it. No reservation."""

    gpu_id: str
    datacenter_id: str
    """Empty for the offer that stands for the cloud as a whole: the only one where no datacenter is told."""
    cloud_type: str
    usd_per_gpu_hour: float | None
    """None if the catalogue names no price."""
    stock: str
    """A `Stock`, or a value that the cloud invented since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One combination to try to place the pod with."""

    gpu_id: str
    datacenter_id: str
    cloud_type: str
    usd_per_gpu_hour: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAsk:
    """Everything of the create call that does not depend on the candidate."""

    name: str
    image: str
    gpu_count: int
    container_disk_gb: int
    ports: tuple[str, ...]
    env: dict[str, str]
    volume_mount: str
    volume_gb: int | None = None
    """Size of a disk of the pod's own, in GB; None with a network volume."""
    network_volume_id: str | None = None
    start_command: tuple[str, ...] = ()
    """Exec form of the container's command; empty: the image's own."""
    min_cuda_version: str | None = None
    min_vcpu_count: int | None = None
    min_memory_gb: int | None = None
    registry_auth: str | None = None
    template_id: str | None = None
    cpu: bool = False
    """Whether the candidate's gpu_id is a CPU flavor, and min_vcpu_count its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a pod's sshd listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod as the API describes it."""

    id: str
    name: str
    status: str
    """PROVISIONING, STARTING, RUNNING, EXITED, ERROR, TERMINATED, or a value invented since."""
    usd_per_hour: float | None
    """Cost of the whole pod while it runs; meaningless for a stopped one."""
    created_at: datetime | None
    started_at: datetime | None = None
    """When its container was last started."""
    gpu_id: str | None = None
    gpu_count: int = 1
    datacenter_id: str | None = None
    cloud_type: str | None = None
    image: str | None = None
    address: Address | None = None
    """None until the pod's SSH port is mapped."""
    uptime_s: int | None = None
    """Seconds since the container started; None until it has."""
    env: dict[str, str] = field(default_factory=dict, repr=False)
    volume_gb: int | None = None
    container_disk_gb: int | None = None
    network_volume_id: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    """The API's own answer."""
