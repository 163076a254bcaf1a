"""Offers, requests and pods as values. Knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..spec.rules import Checked
from ..spec.types import HostName, PortNumber

Stock = Literal["NONE", "LOW", "MEDIUM", "HIGH"]
MIN_VOLUME_GB = 10
"""The API refuses smaller persistent disks (2026-08), so a smaller one is asked for with this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One GPU (or CPU flavor) in one datacenter on one cloud, as the catalogue shows it. No reservation."""

    gpu_id: str
    datacenter_id: str
    """Empty for an offer of the cloud as a whole, which is all there is if the catalogue names no datacenter."""
    cloud_type: str
    usd_per_gpu_hour: float | None
    """None if the catalogue names no price."""
    stock: str
    """A `Stock`, or a value that RunPod has added since."""
    name: str = ""
    """The GPU's name as RunPod shows it, such as `H100 SXM`."""
    memory_gb: int | None = None
    """The memory of one GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One GPU in one datacenter on one cloud, to create the pod from. Two with different prices are the same one."""

    gpu_id: str
    datacenter_id: str
    cloud_type: str
    usd_per_gpu_hour: float | None = field(default=None, compare=False)
    """None if the catalogue names no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRequest:
    """Everything in the create call that does not depend on the candidate."""

    name: str
    image: str
    gpu_count: int
    container_disk_gb: int
    ports: tuple[str, ...]
    env: dict[str, str]
    volume_mount: str
    volume_gb: int | None = None
    """Size of the pod's own volume, in GB; None with a network volume."""
    network_volume_id: str | None = None
    start_command: tuple[str, ...] = ()
    """Exec form of the container's command; empty for the image's own command."""
    min_cuda_version: str | None = None
    min_vcpu_count: int | None = None
    min_memory_gb: int | None = None
    registry_auth: str | None = None
    template_id: str | None = None
    cpu: bool = False
    """Whether the candidate's gpu_id is a CPU flavor, and min_vcpu_count its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Checked):
    """Where a pod's sshd listens. Raises RuleError for a host or port that could mean something else to ssh."""

    host: HostName
    port: PortNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a pod's log."""

    at: str
    """The time in RFC 3339, as the API writes it."""
    source: str
    """`container` or `system`, which is the host."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod as the API describes it."""

    id: str
    name: str
    status: str
    """PROVISIONING, STARTING, RUNNING, EXITED, ERROR, TERMINATED, or a value that RunPod has added since."""
    usd_per_hour: float | None
    """Price of the pod while it runs, without its disks; meaningless for a stopped one."""
    created_at: datetime | None
    started_at: datetime | None = None
    """When its container was last started."""
    gpu_id: str | None = None
    gpu_count: int | None = 1
    """None if the API does not tell; zero for a pod that was started again without its GPUs."""
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
    volume_mount: str | None = None
    """Where its volume is mounted; None if it has none, or the API does not tell."""
    ports: tuple[str, ...] | None = None
    """None if the API does not tell."""
    registry: str | None = None
    """The id of the registry credential that its image is pulled with."""
    locked: bool = False
    """Whether the API refuses to stop it."""
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    """The API's answer as it came."""
