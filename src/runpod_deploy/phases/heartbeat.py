"""The run's heartbeat: one event a minute in every phase, so that a reader of the journal sees that a process works."""

from __future__ import annotations

from ..record.events import Heartbeat
from ..run import Run
from .limits import spent_so_far

EVERY_S = 60.0


def record_if_due(run: Run, doing: str = "", *, log_bytes: int = 0) -> None:
    """A heartbeat is recorded if the last one is a minute old. Cheap enough to be called in every loop."""
    clock = run.world.clock
    now = clock.monotonic()
    if run.beat_due is not None and now < run.beat_due:
        return
    first, run.beat_due = run.beat_due is None, now + EVERY_S
    if first:
        return
    elapsed = clock.now() - (run.state.started_at or clock.now())
    run.record(
        Heartbeat(
            phase=run.state.progress.phase,
            doing=doing,
            elapsed_sec=round(elapsed.total_seconds(), 1),
            spent_usd=round(spent_so_far(run), 4),
            cost_cap_usd=run.spec.job.budget.cost_cap_usd,
            log_bytes=log_bytes,
        )
    )
