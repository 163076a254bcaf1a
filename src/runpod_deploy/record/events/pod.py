"""Events of the pod: requested, created, reached, lost, released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...cloud.values import Candidate
from ...spec.types import CloudId, HostName, PortNumber
from .event import Event
from .taken import TakenOver


@dataclass(frozen=True, kw_only=True)
class CandidatesChosen(Event):
    """The ranked combinations that will be tried."""

    candidates: tuple[Candidate, ...]
    skipped: tuple[str, ...] = ()  # reasons why other combinations will not be tried
    resolved: tuple[str, ...] = ()  # the meanings of GPU names that are no ids


@dataclass(frozen=True, kw_only=True)
class PodRequested(Event):
    """A pod is about to be requested. This is written before the call, so that a crash leaves a name to search for."""

    name: str
    gpu_id: str
    datacenter_id: str
    cloud_type: str
    account: str = ""
    """A hash of the API key; empty in older journals."""


@dataclass(frozen=True, kw_only=True)
class CreateUnclear(Event):
    """A create call got no clear answer: it may still make a pod. The run looks for it before it asks again or ends."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class LatePodFound(Event):
    """A pod of this run showed up that the run does not use. It is about to be deleted."""

    pod_id: CloudId
    usd_per_hour: float | None
    created_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DatacenterFailover(Event):
    """A request was refused."""

    from_: str
    to: str | None
    """The datacenter that is tried next; None after the last."""
    reason: str
    gpu_id: str
    datacenter_id: str
    cloud_type: str
    kind: str = "stock_out"
    """`stock_out`, or `config` if the API called the request invalid."""


@dataclass(frozen=True, kw_only=True)
class PodRefused(Event):
    """A request was refused for a reason that holds for every candidate: the key, the balance, an invalid field."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class RowSkipped(Event):
    """A row in an answer of the API, which does not concern this run, makes no sense."""

    what: str
    row: str


@dataclass(frozen=True, kw_only=True)
class HostLogKept(Event):
    """The end of the host's log of a pod that did not boot or was lost; `host_log.jsonl` holds more."""

    pod_id: CloudId
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CloudTypeFallback(Event):
    """The pod was placed on the second cloud."""

    from_cloud_type: str
    to_cloud_type: str
    gpu_id: str
    datacenter_id: str


@dataclass(frozen=True, kw_only=True)
class GpuSelected(Event):
    """The GPU and datacenter that the pod was placed with."""

    gpu_id: str
    datacenter_id: str | None


@dataclass(frozen=True, kw_only=True)
class PodCreated(Event):
    """The pod exists, and its price is known."""

    pod_id: CloudId
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
    """Whether the pod was found by its name, because the create call had no answer."""
    disks_usd_per_hour: float = 0.0
    """Cost of the pod's disks, in addition to `usd_per_hour`."""
    volume_gb: float | None = None
    """Size of the pod's own volume, which costs money also while the pod is stopped."""
    gpu_count: int | None = None
    """The number of GPUs that were delivered; None if the API does not tell."""
    taken_over: TakenOver | None = None  # of the pod of a run that another machine began


@dataclass(frozen=True, kw_only=True)
class PodRecycled(Event):
    """A paused pod of an earlier run is about to be started: from now on it belongs to this run."""

    pod_id: CloudId
    name: str
    token: str = ""
    """The token that the pod bears: that of the run that requested it."""
    account: str = ""  # as in PodRequested
    gpu_id: str | None
    datacenter_id: str | None
    cloud_type: str | None


@dataclass(frozen=True, kw_only=True)
class PodLeftBehind(Event):
    """The pod that the state file names is not used by this run, and the state file will name another one."""

    pod_id: CloudId
    name: str
    status: str
    usd_per_hour: float
    """What it costs per hour in this status: its disk only, if it is stopped."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class PodResumed(Event):
    """The recycled pod runs again, and its price is known."""

    pod_id: CloudId
    gpu_id: str | None
    datacenter_id: str | None
    usd_per_hour: float
    price_source: str
    created_at: datetime
    """When the pod was started again: its cost before that belongs to the earlier run."""
    stop_at: datetime
    stop_why: str
    disks_usd_per_hour: float = 0.0  # these three as in PodCreated
    volume_gb: float | None = None
    gpu_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class PodReopening(Event):
    """The paused pod of this run is about to be started, for as long as it takes to pull its artifacts."""

    pod_id: CloudId


@dataclass(frozen=True, kw_only=True)
class PodReopened(PodResumed):
    """The reopened pod runs again, and its price is known."""


@dataclass(frozen=True, kw_only=True)
class PodBooting(Event):
    """The boot entered another stage: placing, image_pull, starting, sshd."""

    stage: str
    elapsed_sec: float


@dataclass(frozen=True, kw_only=True)
class PodReachable(Event):
    """The pod answers over SSH."""

    host: HostName
    port: PortNumber
    urls: tuple[str, ...] = ()  # RunPod's addresses of its http ports


@dataclass(frozen=True, kw_only=True)
class RemoteEnvSeen(Event):
    """The pod's system is known, as it was before anything was set up there."""

    remote_uname: str
    remote_python_version: str | None
    """Version of the image's own `python3`; None if it has none."""


@dataclass(frozen=True, kw_only=True)
class PodAbandoned(Event):
    """The pod never booted, and is about to be deleted. This is written before the call."""

    pod_id: CloudId
    reason: str


@dataclass(frozen=True, kw_only=True)
class PodDiscarded(Event):
    """The abandoned pod is confirmed to be gone."""

    pod_id: CloudId


@dataclass(frozen=True, kw_only=True)
class GuardArmed(Event):
    """The guard on the pod runs: it has answered."""

    deadline_at: datetime


@dataclass(frozen=True, kw_only=True)
class GuardMissing(Event):
    """The guard did not answer, and the config allows a run without it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PodKilledUnexpected(Event):
    """The pod was ended by somebody else."""

    state: str | None
    note: str
    pod_id: str
    gpu_id: str | None
    datacenter_id: str | None


@dataclass(frozen=True, kw_only=True)
class GuardLost(Event):
    """The guard on the pod was ended by somebody, for example by the job. It is started again at once."""


@dataclass(frozen=True, kw_only=True)
class GuardReleased(Event):
    """The pod's guard has ended the pod at the limit, because no process watched the run."""

    state: str | None
    """The pod's status; None if there is no such pod."""


@dataclass(frozen=True, kw_only=True)
class ReleaseStarted(Event):
    """The lifecycle action is about to be carried out."""

    action: str


@dataclass(frozen=True, kw_only=True)
class PodReleased(Event):
    """The API has confirmed that the pod is as the policy asks."""

    action: str
    state: str | None  # the pod's last status; None if there is no such pod
    last_state: str | None = None  # the status that the API showed before the release
