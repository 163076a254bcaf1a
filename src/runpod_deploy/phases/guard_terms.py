"""The terms of the guard on the pod: when it acts, and what it does then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..cloud.rates import expected_forecast
from ..cloud.values import Candidate
from ..errors import LimitReached, StagingFailed
from ..machine.clock import within
from ..machine.limited import limited_by
from ..money import guard_deadline
from ..pod import guard
from ..pod.protocol import GuardTerms
from ..record.events import GuardArmed, GuardMissing
from ..run import Run
from ..spec import RunpodJobSpec
from ..spec.visible import shortened
from .limits import run_limit

ARM_WITHIN_S = 90.0
REASON_CHARS = 1000
RECONNECT_MARGIN_S = 60
"""For the first words of a process that is connected again."""


def first_terms(run: Run, candidate: Candidate) -> GuardTerms:
    """The guard's terms until it hears from us. They hold again when the paused pod is started for a later run.

    Then nobody may come for no longer than the cap pays for.
    """
    terms = guard_terms(run, boot_deadline(run, candidate))
    lasts_s = int((terms.deadline_at - run.world.clock.now()).total_seconds())
    return replace(terms, idle_s=min(guard.IDLE_S, lasts_s))


def guard_terms(run: Run, deadline_at: datetime) -> GuardTerms:
    """The terms of the guard with this deadline."""
    return GuardTerms(
        deadline_at=deadline_at,
        idle_s=guard.IDLE_S,
        ended_s=idle_after_job_s(run.spec.job),
        on_failure=run.spec.job.lifecycle.on_failure,
        api_base_url=run.world.api_base_url,
        secrets=tuple(secret.path_on_pod(run.spec.run_id) for secret in run.spec.job.secrets),
    )


def arm_again(run: Run, deadline_at: datetime) -> None:
    """The guard runs with this deadline, or the journal says why not. Raises SshLost."""
    try:
        in_time = within(run.world.clock, ARM_WITHIN_S, "arming the guard")
        with in_time, limited_by(run_limit(run)):
            problem = run.host.arm(guard_terms(run, deadline_at))
    except (StagingFailed, TimeoutError, LimitReached) as error:  # no reason to end a job that works
        problem = str(error)
    run.record(
        GuardMissing(reason=shortened(problem, REASON_CHARS)) if problem else GuardArmed(deadline_at=deadline_at)
    )


def idle_after_job_s(job: RunpodJobSpec) -> int:
    """The seconds that the guard waits for a process after the job's end.

    A guard that deletes the results with the pod waits at least as long as a process that has lost its connection tries
    to come back.
    """
    idle_s = job.guard.idle_minutes * 60
    back_within_s = job.budget.ssh_lost_timeout_sec + RECONNECT_MARGIN_S
    return max(idle_s, back_within_s) if job.lifecycle.on_failure == "delete" else idle_s


def boot_deadline(run: Run, candidate: Candidate) -> datetime:
    """The instant at which the guard acts if it never hears from us, by the price that is known before the pod is."""
    stop = expected_forecast(run.spec.job, candidate).stop_at(run.world.clock.now())
    return guard_deadline(stop.at, run.spec.job.budget)
