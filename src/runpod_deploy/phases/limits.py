"""The limits of a run, money and time, while a phase works."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..errors import LimitReached
from ..money import closing_s
from ..run import Run

REASONS = {
    "cost_cap": "the cost cap is used up",
    "max_runtime": "the time limit is used up",
}

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
    """The time for the end of the job and its results counts from now, unless it counts already."""
    if run.closing_at is None:
        run.closing_at = run.world.clock.monotonic()


def closing_left_s(run: Run) -> float:
    """Seconds that are left until the pod is released: in all no more than its guard gives the driver."""
    begin_closing(run)
    assert run.closing_at is not None
    return run.closing_at + closing_s(run.spec.job.budget) - run.world.clock.monotonic()


def skip_closing(run: Run) -> None:
    """No time is left for what the pod holds: it does not answer, and bills."""
    run.closing_at = run.world.clock.monotonic() - closing_s(run.spec.job.budget)


def spent_so_far(run: Run) -> float:
    """The cost of the run until now, in USD, discarded pods included."""
    return run.state.cost.spent_usd(run.world.clock.now())
