"""Money and time while a phase works."""

from __future__ import annotations

from ..errors import LimitReached
from ..money import spent_usd
from ..run import Run

WORDS = {
    "cost_cap": "the cost cap is used up",
    "max_runtime": "the time limit is used up",
}


def enforce(run: Run) -> None:
    """Nothing, while there is money and time. Raises LimitReached."""
    stop_at = run.state.cost.stop_at
    if stop_at is not None and run.world.clock.now() >= stop_at:
        why = run.state.cost.stop_why
        raise LimitReached(
            f"{WORDS[why]} before the job was done",
            hint="raise budget.cost_cap_usd or budget.max_runtime_minutes, or do less before the job",
            kind=why,
        )


def no_limit() -> None:
    """What has to be done after the limit too is not ended by it."""


def remaining_s(run: Run, at_most_s: float) -> float:
    """Seconds until the limit, but no more than this. Raises LimitReached if none are left."""
    enforce(run)
    if run.state.cost.stop_at is None:
        return at_most_s
    return min(at_most_s, (run.state.cost.stop_at - run.world.clock.now()).total_seconds())


def spent_so_far(run: Run) -> float:
    """What the run has cost until now, in USD, discarded pods included."""
    return spent_usd(run.state.cost.rentals, run.world.clock.now())
