"""Events of the pod: asked for, made, reached, lost, released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...cloud.values import Candidate
from .event import Event


@dataclass(frozen=True, kw_only=True)
class CandidatesChosen(Event):
    """The ranked combinations that will be tried."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...] = ()
    """Reasons why others will not."""


@dataclass(frozen=True, kw_only=True)
class PodRequested(Event):
    """A pod is about to be asked for: written before the call, so that a crash leaves a name to search for."""

    name: str
    gpu_id: str
    datacenter_id: str
    cloud_type: str


@dataclass(frozen=True, kw_only=True)
class DatacenterFailover(Event):
    """A request was refused."""

    from_: str
    to: str | None
    """The datacenter that is tried next; None at the end of the list."""
    reason: str
    gpu_id: str
    datacenter_id: str
    cloud_type: str


@dataclass(frozen=True, kw_only=True)
class PodRefused(Event):
    """A request was refused for a reason that no other candidate would mend: key, balance, a broken rule."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CloudTypeFallback(Event):
    """The pod was placed on the second cloud."""

    from_cloud_type: str
    to_cloud_type: str
    gpu_id: str
    datacenter_id: str


@dataclass(frozen=True, kw_only=True)
class GpuSelected(Event):
    """What the pod was placed with."""

    gpu_id: str
    datacenter_id: str | None


@dataclass(frozen=True, kw_only=True)
class PodCreated(Event):
    """The pod exists, and its price is known."""

    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None
    cloud_type: str | None
    usd_per_hour: float
    price_source: str
    """`pod_describe`, `catalogue` or `assumed_rate`."""
    created_at: datetime
    stop_at: datetime
    stop_why: str
    adopted: bool = False
    """Whether it was found by its name rather than answered by the create call."""
    disks_usd_per_hour: float = 0.0
    """What its disks cost beside `usd_per_hour`."""
    volume_gb: float | None = None
    """Size of its own volume, which costs on when it is stopped."""


@dataclass(frozen=True, kw_only=True)
class PodRecycled(Event):
    """A paused pod of an earlier run is about to be started: from here on it is this run's."""

    pod_id: str
    name: str
    gpu_id: str | None
    datacenter_id: str | None
    cloud_type: str | None


@dataclass(frozen=True, kw_only=True)
class PodResumed(Event):
    """The recycled pod runs again, and its price is known."""

    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None
    usd_per_hour: float
    price_source: str
    created_at: datetime
    """When it was started again: what it cost before is not this run's."""
    stop_at: datetime
    stop_why: str
    disks_usd_per_hour: float = 0.0
    """What its disks cost beside `usd_per_hour`."""
    volume_gb: float | None = None
    """Size of its own volume, which costs on when it is stopped."""


@dataclass(frozen=True, kw_only=True)
class PodReopening(Event):
    """The paused pod of this run is about to be started, for as long as it takes to fetch what it holds."""

    pod_id: str


@dataclass(frozen=True, kw_only=True)
class PodReopened(PodResumed):
    """It runs again, and its price is known."""


@dataclass(frozen=True, kw_only=True)
class PodBooting(Event):
    """The boot entered another stage: placing, image_pull, starting, sshd."""

    stage: str
    elapsed_sec: float


@dataclass(frozen=True, kw_only=True)
class PodReachable(Event):
    """The pod answers over SSH."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class RemoteEnvSeen(Event):
    """The pod has told what it runs, before anything was set up there."""

    remote_uname: str
    remote_python_version: str | None
    """Of the image's own `python3`; None if it has none."""


@dataclass(frozen=True, kw_only=True)
class PodAbandoned(Event):
    """The pod never booted, and will be deleted: written before the call."""

    pod_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PodDiscarded(Event):
    """The abandoned pod is confirmed to be gone."""

    pod_id: str


@dataclass(frozen=True, kw_only=True)
class GuardArmed(Event):
    """The guard on the pod has proved that it lives."""

    deadline_at: datetime


@dataclass(frozen=True, kw_only=True)
class GuardMissing(Event):
    """The guard did not answer, and the config allows to go on without it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PodKilledUnexpected(Event):
    """The pod was ended by somebody else than us."""

    state: str | None
    note: str
    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None


@dataclass(frozen=True, kw_only=True)
class GuardReleased(Event):
    """The pod's guard has ended it, at the limit: nobody else was there to do so."""

    state: str | None
    """The pod's status; None: there is no such pod."""


@dataclass(frozen=True, kw_only=True)
class ReleaseStarted(Event):
    """The lifecycle action is about to be carried out."""

    action: str


@dataclass(frozen=True, kw_only=True)
class PodReleased(Event):
    """The API has confirmed that the pod is as the policy asks."""

    action: str
    state: str | None
    """The pod's last status; None: there is no such pod."""
