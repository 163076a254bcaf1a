"""What is true of a run, and what follows from it: failure, outcome, exit code. Pure; folded by `fold`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ..errors import FAILURE_KINDS, failure_kind
from ..money import left_usd_per_day
from .events import NEVER
from .parts import Cost, End, Failure, JobState, PodState, Progress, Request, Work
from .verdict import verdict

Outcome = Literal["succeeded", "job_failed", "stopped", "failed", "interrupted", "unreleased"]
JOB_KINDS = ("job_failed", "marker_missing", "failure_marker", "left_running", "preamble_failed")
LIMIT_KINDS = ("cost_cap", "max_runtime", "stalled")
LEFT_KINDS = {"ssh_lost": "ssh_lost", "elsewhere": "busy"}
"""The kinds of failure by why a process left the run; to leave it for any other reason is none."""


@dataclass(frozen=True, slots=True)
class State:
    """What is true of a run."""

    run_id: str | None = None
    success_marker: str | None = None
    """The text in the log without which the job has not succeeded, if the config asks for one."""
    started_at: datetime | None = None
    last_event: str = ""
    last_at: datetime = NEVER
    progress: Progress = field(default_factory=Progress)
    request: Request = field(default_factory=Request)
    pod: PodState = field(default_factory=PodState)
    cost: Cost = field(default_factory=Cost)
    job: JobState = field(default_factory=JobState)
    work: Work = field(default_factory=Work)
    end: End = field(default_factory=End)

    @property
    def failure(self) -> Failure | None:
        """Why the run did not succeed, or None."""
        if self.end.interrupted:
            return Failure("interrupted", self.progress.phase, f"interrupted by {self.end.interrupted}")
        if self.end.forward_failure:
            return self.end.forward_failure
        return self.job_failure or next(iter(self.end.closing_failures), None) or self.incompleteness

    @property
    def incompleteness(self) -> Failure | None:
        """What is missing for a success although nothing failed; None while it may still come."""
        if self.has_results or not (self.end.finished or self.end.released):
            return None
        if not self.job.ended:
            return Failure("internal", self.progress.phase, "the run ended before its job did")
        kind = "pod_killed_unexpected" if self.pod.lost else "artifact_missing"
        return Failure(kind, "collect", "the job succeeded, but its results were not downloaded before the pod ended")

    @property
    def has_results(self) -> bool:
        """Whether the job has ended and everything that the run is to collect is here."""
        return self.job.ended and self.work.collected

    @property
    def job_failure(self) -> Failure | None:
        """How the job failed, or None if it succeeded or has not ended."""
        job = self.job
        if not job.ended:
            return None
        kind = verdict(job.exit_code, job.why, marker=self.success_marker, marker_seen=job.success_marker_seen)
        if kind is None:
            return None
        message = job_failure_text(kind, job.exit_code)
        return Failure(kind, "watch", f"{message}: {job.note}" if job.note else message)

    @property
    def left_usd_per_day(self) -> float | None:
        """The cost per day of the last pod as it is now, in USD; None if it is gone, or the cost is not known."""
        pods = self.cost.rentals
        return left_usd_per_day(pods[-1], self.pod.final_state, self.pod.volume_gb) if pods else None

    @property
    def outcome(self) -> Outcome:
        """One word for the whole run; the lifecycle action and the exit code come from it."""
        return "unreleased" if self.end.finished and self.pod_may_exist else self.result

    @property
    def result(self) -> Outcome:
        """The outcome, whether or not the pod is released."""
        failure = self.failure
        if failure is None:
            return "succeeded" if self.has_results else "failed"
        if failure.kind == "interrupted":
            return "interrupted"
        if failure.kind in LIMIT_KINDS:
            return "stopped"
        return "job_failed" if failure.kind in JOB_KINDS else "failed"

    @property
    def exit_code(self) -> int:
        """The tool's exit code for a run that ends like this."""
        if self.end.detached and not self.end.finished:
            kind = LEFT_KINDS.get(self.end.detached)
            return FAILURE_KINDS[kind].exit_code if kind else 0
        if self.pod_may_exist:
            return FAILURE_KINDS["release_unconfirmed"].exit_code
        if self.failure is None:
            return 0 if self.has_results else FAILURE_KINDS["artifact_missing"].exit_code
        return failure_kind(self.failure.kind).exit_code

    @property
    def pod_may_exist(self) -> bool:
        """Whether a pod of ours may exist that is not as the policy asks."""
        return self.request.made and not self.end.released

    @property
    def pod_token(self) -> str:
        """The token that the run's pod bears; empty if it is of an older version."""
        taken = self.pod.recycled or self.request.taken_from is not None
        return self.request.taken_token if taken else self.request.token

    @property
    def has_running_pod(self) -> bool:
        """Whether the run has its pod; a recycled pod counts once it was started again."""
        return self.pod.id is not None and (self.pod.resumed or not self.pod.recycled)

    @property
    def pod_answers(self) -> bool:
        """Whether it is worth asking the pod itself: it was reached once and is not known to be gone."""
        failure = self.end.forward_failure
        out_of_reach = failure is not None and failure.kind in ("ssh_lost", "boot_timeout")
        return self.pod.address is not None and not self.pod.lost and not out_of_reach

    @property
    def may_go_forward(self) -> bool:
        """Whether anything but closing is left to do."""
        end = self.end
        over = end.released or end.finished or end.reopened
        return not (end.forward_failure or end.interrupted or over)


JOB_FAILURES = {
    "job_failed": "the job exited with status {code}",
    "marker_missing": "the job exited with status 0 but its success marker never appeared in the log",
    "left_running": "the job's script left processes running, and run.background is fail",
    "preamble_failed": "a file of remote_env.source_files ended the job's shell before the job began",
    "failure_marker": "a configured failure marker appeared in the job's log",
    "cost_cap": "the cost cap was reached",
    "max_runtime": "the time limit was reached",
    "stalled": "the job's log was silent for too long",
    "pod_killed_unexpected": "the pod was ended from outside while the job ran",
    "interrupted": "the job was stopped by an interrupt",
    "internal": "the job was stopped after a defect of the tool",
}


def job_failure_text(why: str, exit_code: int | None) -> str:
    """A sentence for why a job failed; the word itself if this version does not know it."""
    return JOB_FAILURES[why].format(code=exit_code) if why in JOB_FAILURES else why
