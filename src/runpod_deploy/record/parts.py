"""The parts of a run's state: its phases, the request, the pod, the cost, the job, the work, the end. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..cloud.values import Address, Candidate
from ..errors import failure_kind
from ..money import Rental, spent_usd


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not succeed."""

    kind: str
    phase: str
    message: str
    hint: str = ""

    @property
    def transient(self) -> bool:
        """Whether the same run may succeed later."""
        return failure_kind(self.kind).transient


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """When a phase began and how long it took; None while it lasts."""

    name: str
    started_at: datetime
    duration_s: float | None = None
    broken_off: bool = False
    """Whether it was left before its end; the duration is then as long as the journal shows."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """The result of pulling one artifact."""

    status: str
    duration_s: float | None = None
    files: int | None = None
    bytes_total: int | None = None
    bytes_transferred: int | None = None
    sha256: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The phases of the run, and the processes that carried them out."""

    phase: str = ""
    """The phase that began last."""
    phases: tuple[PhaseTime, ...] = ()
    resumptions: tuple[tuple[datetime, str], ...] = ()
    """For each process after the first: when it began, and the last event of the process before it."""


@dataclass(frozen=True, slots=True)
class Request:
    """The search for a pod: candidates, and requests to the API."""

    candidates: tuple[Candidate, ...] = ()
    refused: tuple[Candidate, ...] = ()
    """The candidate of each refused request since the candidates were chosen."""
    pending: Candidate | None = None
    """The request whose answer is not in the journal: a pod with our name may exist."""
    repeated: bool = False
    """Whether a pending request was given up and made anew: the pod of the first may show up beside the second."""
    placed: Candidate | None = None
    """The candidate that the pod was asked for, which may differ from what was delivered."""
    refusal_kinds: frozenset[str] = frozenset()
    """Kinds of the refusals since the candidates were chosen; `abandoned` for pods that were given up."""
    last_refusal: str = ""
    """Why the last candidate was refused or given up."""
    made: bool = False
    """Whether a pod may have come from a request."""
    asked_at: datetime | None = None
    """When the last request was made."""
    unclear_at: datetime | None = None
    """When the last create call of unknown outcome may still have been under way."""
    token: str = ""
    """The random token that the run's pods bear; empty for a run of an older version."""
    taken_token: str = ""
    """The token that a recycled pod bears."""
    taken_from: str | None = None
    """The machine that the pod was taken over from, as it named itself."""
    taken_at: datetime | None = None
    """When the run took the recycled pod, which it starts afterwards."""
    account: str = ""
    """A hash of the API key that the pod was requested or taken over with; empty if it is not known."""
    left_behind: tuple[str, ...] = ()
    """Pods that the state file named and that this run did not use."""


@dataclass(frozen=True, slots=True)
class PodState:
    """The run's pod, and the pods that it gave up before."""

    id: str | None = None
    name: str | None = None
    """The run's id, or that of the run whose pod was recycled."""
    gpu_id: str | None = None
    datacenter_id: str | None = None
    cloud_type: str | None = None
    gpu_count: int | None = None
    """The number of GPUs that were delivered; None if the API does not tell."""
    volume_gb: float | None = None
    """Size of the pod's own volume."""
    recycled: bool = False
    """Whether the pod is the paused pod of an earlier run."""
    resumed: bool = False
    """Whether the recycled pod was started again."""
    unseen: tuple[str, datetime] | None = None
    """The newest pod and when it was made, until we have seen it in the API, which may not know it at once."""
    address: Address | None = None
    reached_at: datetime | None = None
    """When it first answered over SSH after its last boot."""
    boots: int = 0
    """How often this run has asked for a boot. Each may bring another host key; nothing else may."""
    guard_deadline_at: datetime | None = None
    """When the pod's guard acts by itself; None before the guard has answered."""
    remote_env: tuple[tuple[str, str | None], ...] = ()
    """What the pod ran before anything was set up."""
    python_version: str | None = None
    """The interpreter that was pinned on the pod."""
    lost: bool = False
    """Whether the pod was ended by somebody else or by its guard."""
    final_state: str | None = None
    """The pod's last known status; None once it is gone."""
    abandoned: tuple[str, ...] = ()
    """Pods that never booted; the last of them may still exist."""
    discarding: str | None = None
    """The abandoned pod that is not confirmed to be gone."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of the pods, the limit of the run, and the bill."""

    usd_per_hour: float | None = None
    price_source: str | None = None
    rentals: tuple[Rental, ...] = ()
    """Every time span in which a pod of this run cost money, discarded pods included."""
    elsewhere_usd: float = 0.0
    """What the run has cost on pods that only another machine knows."""
    begun_at: datetime | None = None
    """When the last of them was created, or started for this run: its time limit counts from then."""
    stop_at: datetime | None = None
    stop_why: str = ""
    billed_usd: float | None = None
    """The amount on RunPod's bill, as of the last look at it."""
    bill_settled: bool | None = None
    """Whether nothing more will be billed; None if the bill was never asked for."""

    def spent_usd(self, now: datetime) -> float:
        """The cost of the run until now, in USD: of all its pods, on whatever machine."""
        return self.elsewhere_usd + spent_usd(self.rentals, now)

    @property
    def guarded_until(self) -> datetime | None:
        """When a guard ends the pod that bills at the latest; None if it has none, as far as is known."""
        return next((rental.guard_at for rental in reversed(self.rentals) if rental.until_at is None), None)

    def without_usd(self, pod_id: str, now: datetime) -> float:
        """The same without this pod."""
        return self.elsewhere_usd + spent_usd((one for one in self.rentals if one.pod_id != pod_id), now)


@dataclass(frozen=True, slots=True)
class JobState:
    """The user's job on the pod."""

    pid: int | None = None
    step: str | None = None
    success_marker_seen: bool = False
    failure_markers_seen: frozenset[str] = frozenset()
    """Failure markers that the journal has already."""
    scanned_bytes: int = 0
    """The log was searched for markers at least up to here."""
    stop_requested: str | None = None
    ended: bool = False
    exit_code: int | None = None
    why: str = ""
    """`exited`, or the kind of failure that ended the job."""
    log_bytes: int = 0
    """Length of the log when the job ended."""
    log_begin: int = 0
    """Bytes that had arrived when the job emptied its log the last time: the first byte of the pod's file now."""
    noticed: frozenset[str] = frozenset()
    """Events about the job's processes that are in the journal already."""
    note: str = ""
    """What else is known about the end."""
    metrics: tuple[tuple[str, float], ...] = ()
    """The numbers that the job has reported, with the last value of each."""
    links: tuple[tuple[str, str], ...] = ()
    """The pages that the job has named in the `url` of its events, by the event's name."""


@dataclass(frozen=True, slots=True)
class Work:
    """What was done on the pod around the job, and what was pulled from it."""

    commands_done: frozenset[tuple[str, int]] = frozenset()
    staged: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    """Secrets that are on the pod."""
    artifacts: tuple[tuple[str, Artifact], ...] = ()
    collected: bool = False
    """Whether everything that the run is to collect is here."""


@dataclass(frozen=True, slots=True)
class End:
    """How the run ended, as far as it has ended."""

    forward_failure: Failure | None = None
    """The first error on the way forward."""
    closing_failures: tuple[Failure, ...] = ()
    interrupted: str | None = None
    """The signal."""
    wish: str = ""
    """What the user who ended the run has asked for the pod; empty: as `lifecycle.on_failure` says."""
    detached: str | None = None
    elsewhere: Failure | None = None
    """Why the last process left the run to another machine."""
    release_action: str | None = None
    released: bool = False
    status_before: str | None = None
    """The pod's status before its release."""
    finished: bool = False
    finished_at: datetime | None = None
    on_end_started: bool = False
    """Whether the command `on_end` was started: that happens once."""
    reopened: bool = False
    """Whether the paused pod was started again to pull what it holds; the run itself is over."""
    reopen_failure: Failure | None = None
    """The first error since the pod was reopened."""
