"""What is true of a run, and what follows from it: failure, outcome, exit code. Pure; folded by `fold`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..cloud.values import Address, Candidate
from ..errors import KINDS
from ..money import Rental
from .events import NEVER
from .verdict import verdict

Outcome = Literal["succeeded", "job_failed", "stopped", "failed", "interrupted", "unreleased"]
JOB_KINDS = ("job_failed", "marker_missing", "failure_marker")
LIMIT_KINDS = ("cost_cap", "max_runtime", "stalled")


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
        return KINDS[self.kind].transient


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """When a phase began and how long it took; None while it lasts."""

    name: str
    started_at: datetime
    duration_s: float | None = None
    broken_off: bool = False
    """Whether it was left before its end; its duration is as long as is known, then."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What became of one artifact."""

    status: str
    duration_s: float | None = None
    files: int | None = None
    bytes_total: int | None = None
    bytes_transferred: int | None = None
    sha256: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What is true of a run."""

    run_id: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    last_event: str = ""
    last_at: datetime = NEVER
    phase: str = ""
    phases: tuple[PhaseTime, ...] = ()
    resumptions: tuple[tuple[datetime, str], ...] = ()
    """When another process went on, and the last event of the one before it."""
    candidates: tuple[Candidate, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    """(GPU, datacenter, cloud) of each refused request since the candidates were chosen."""
    requested: Candidate | None = None
    """A request whose answer is not in the journal: a pod of our name may exist."""
    asked_again: bool = False
    """Whether such a request was given up and made anew: its pod may show up beside the other."""
    ever_requested: bool = False
    pod_id: str | None = None
    pod_name: str | None = None
    """The run's id, or that of the run whose pod was recycled."""
    unseen: tuple[str, datetime] | None = None
    """The newest pod and when it was made, as long as no look of ours has found it: the API may not know it yet."""
    gpu_id: str | None = None
    datacenter_id: str | None = None
    cloud_type: str | None = None
    usd_per_hour: float | None = None
    price_source: str | None = None
    rentals: tuple[Rental, ...] = ()
    """Every time in which a pod of this run cost, discarded pods included."""
    volume_gb: float | None = None
    """Size of the pod's own volume."""
    stop_at: datetime | None = None
    stop_why: str = ""
    pod_recycled: bool = False
    """Whether the pod is one of an earlier run."""
    pod_resumed: bool = False
    """Whether that one runs again."""
    visiting: bool = False
    """Whether the paused pod was started again to fetch what it holds; the run itself is over."""
    visit_failure: Failure | None = None
    """What went wrong then."""
    abandoned: tuple[str, ...] = ()
    """Pods that never booted; the last may still exist."""
    discarding: str | None = None
    """An abandoned pod that is not confirmed to be gone."""
    address: Address | None = None
    guard_deadline_at: datetime | None = None
    """When the pod's guard acts by itself; None before it has proved that it lives."""
    remote_env: tuple[tuple[str, str | None], ...] = ()
    """What the pod ran before anything was set up."""
    python_version: str | None = None
    """The interpreter that was pinned on it."""
    commands_done: frozenset[tuple[str, int]] = frozenset()
    staged: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    job_pid: int | None = None
    success_marker_seen: bool = False
    markers_seen: frozenset[str] = frozenset()
    """Failure markers that the journal has already."""
    scanned_bytes: int = 0
    """The log has been looked at for marks up to here, at least."""
    step: str | None = None
    stop_requested: str | None = None
    job_ended: bool = False
    job_exit_code: int | None = None
    log_bytes: int = 0
    job_why: str = ""
    artifacts: tuple[tuple[str, Artifact], ...] = ()
    collected: bool = False
    forward_failure: Failure | None = None
    closing_failures: tuple[Failure, ...] = ()
    interrupted: str | None = None
    detached: str | None = None
    release_action: str | None = None
    released: bool = False
    pod_lost: bool = False
    """Whether the pod was ended by others or by its guard."""
    pod_final_state: str | None = None
    finished: bool = False
    billed_usd: float | None = None
    """What the cloud has really billed, as far as it was asked."""
    bill_settled: bool | None = None
    """Whether nothing more is to come; None if it was never asked."""

    def failure(self, marker: str | None) -> Failure | None:
        """Why the run did not succeed (marker: the configured success marker), or None."""
        if self.interrupted:
            return Failure("interrupted", self.phase, f"interrupted by {self.interrupted}")
        if self.forward_failure:
            return self.forward_failure
        return self.job_failure(marker) or next(iter(self.closing_failures), None)

    def job_failure(self, marker: str | None) -> Failure | None:
        """How the job failed, or None if it succeeded or has not ended."""
        if not self.job_ended:
            return None
        kind = verdict(self.job_exit_code, self.job_why, marker=marker, marker_seen=self.success_marker_seen)
        return Failure(kind, "watch", JOB_WORDS[kind].format(code=self.job_exit_code)) if kind else None

    def outcome(self, marker: str | None) -> Outcome:
        """One word for the whole run; the lifecycle action and the exit code come from it."""
        if self.finished and self.pod_may_exist:
            return "unreleased"
        return self.result(marker)

    def result(self, marker: str | None) -> Outcome:
        """The outcome, whatever becomes of the pod."""
        failure = self.failure(marker)
        if failure is None:
            return "succeeded" if self.collected else "failed"
        if failure.kind == "interrupted":
            return "interrupted"
        if failure.kind in LIMIT_KINDS:
            return "stopped"
        return "job_failed" if failure.kind in JOB_KINDS else "failed"

    def exit_code(self, marker: str | None) -> int:
        """The tool's exit code for a run that ends like this."""
        if self.detached:
            return KINDS["ssh_lost"].exit_code if self.detached == "ssh_lost" else 0
        if self.pod_may_exist:
            return KINDS["release_unconfirmed"].exit_code
        failure = self.failure(marker)
        return KINDS[failure.kind].exit_code if failure else 0

    @property
    def pod_may_exist(self) -> bool:
        """Whether a pod of ours may exist that is not as the policy asks."""
        return self.ever_requested and not self.released

    @property
    def has_running_pod(self) -> bool:
        """Whether the run has its pod, and a recycled one was started again."""
        return self.pod_id is not None and (self.pod_resumed or not self.pod_recycled)

    @property
    def pod_answers(self) -> bool:
        """Whether it is worth asking the pod itself: it was reached once and is not known to be gone."""
        out_of_reach = self.forward_failure is not None and self.forward_failure.kind in ("ssh_lost", "boot_timeout")
        return self.address is not None and not self.pod_lost and not out_of_reach

    @property
    def may_go_forward(self) -> bool:
        """Whether anything but closing is left to do."""
        over = self.released or self.finished or self.visiting
        return not (self.forward_failure or self.interrupted or over)


JOB_WORDS = {
    "job_failed": "the job exited with status {code}",
    "marker_missing": "the job exited with status 0 but its success marker never appeared in the log",
    "failure_marker": "a configured failure marker appeared in the job's log",
    "cost_cap": "the cost cap was reached",
    "max_runtime": "the time limit was reached",
    "stalled": "the job's log was silent for too long",
    "pod_killed_unexpected": "the pod was ended from outside while the job ran",
    "interrupted": "the job was stopped by an interrupt",
    "internal": "the job was stopped after a defect of the tool",
}
