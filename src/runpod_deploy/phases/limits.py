"""The limits of a run, money and time, while a phase works."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from ..errors import LimitReached
from ..money import closing_s, guard_deadline
from ..run import Run

REASONS = {
    "cost_cap": "the cost cap is used up",
    "max_runtime": "the time limit is used up",
}

# After its deadline the guard asks the API, and asks again if that does not answer.
GUARD_ENDS_WITHIN_S = 30.0

CheckLimit = Callable[[], None]
"""Raises when the time for something is over; returns while there is some left."""


def never() -> None:
    """The check of what has no limit of its own."""


def run_limit(run: Run) -> CheckLimit:
    """The limit of the run itself, as a check that raises LimitReached."""
    return partial(enforce, run)


def enforce(run: Run) -> None:
    """Returns while there is money and time left. Raises LimitReached."""
    stop_at = run.state.cost.stop_at
    if stop_at is not None and run.world.clock.now() >= stop_at:
        why = run.state.cost.stop_why
        raise LimitReached(
            f"{REASONS.get(why, why)} before the job was done",
            hint="raise budget.cost_cap_usd or budget.max_runtime_minutes, or do less before the job",
            kind=why,
        )


def remaining_s(run: Run, at_most_s: float) -> float:
    """Seconds until the limit, at_most_s if that is less. Raises LimitReached if none are left."""
    enforce(run)
    if run.state.cost.stop_at is None:
        return at_most_s
    return min(at_most_s, (run.state.cost.stop_at - run.world.clock.now()).total_seconds())


def begin_closing(run: Run) -> None:
    """The time for the end of the job and its results is set, unless it is: it ends with that of the pod's guard."""
    if run.closing_until is None:
        left_s = closing_s(run.spec.job.budget)
        if run.state.cost.stop_at is not None:
            left_s += max(0.0, (run.state.cost.stop_at - run.world.clock.now()).total_seconds())
        run.closing_until = run.world.clock.monotonic() + left_s


def closing_left_s(run: Run) -> float:
    """Seconds that are left until the pod is released, whatever it does. A process that comes late has them anew."""
    begin_closing(run)
    assert run.closing_until is not None
    return run.closing_until - run.world.clock.monotonic()


def guard_overdue_s(run: Run) -> float:
    """Seconds since a guard that works would have ended the pod; below zero before that, and without any limit yet."""
    now, deadline, stop_at = run.world.clock.now(), run.state.pod.guard_deadline_at, run.state.cost.stop_at
    if deadline is None:
        deadline = None if stop_at is None else guard_deadline(stop_at, run.spec.job.budget)
    return -math.inf if deadline is None else (now - deadline).total_seconds() - GUARD_ENDS_WITHIN_S


def not_ended_by_guard(run: Run) -> LimitReached:
    """The error for a pod that runs past its guard's deadline. No time is left for what it holds."""
    run.closing_until = run.world.clock.monotonic()
    return LimitReached(
        f"pod {run.state.pod.id} runs although its guard had to end it, and does not answer over SSH",
        hint="it is ended now; a job that is root can stop the guard of its pod",
        kind=run.state.cost.stop_why,
    )


def spent_so_far(run: Run) -> float:
    """The cost of the run until now, in USD, discarded pods included."""
    return run.state.cost.spent_usd(run.world.clock.now())
