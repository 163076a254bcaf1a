"""The paused pod of a run that is over, started again to fetch what it still holds."""

from __future__ import annotations

from datetime import timedelta

from ..money import StopAt
from ..record.events import PodReopened, PodReopening
from ..run import Run
from .recycle import terms


def reopen(run: Run) -> None:
    """The pod is on its way up, and the journal has known so before. Raises StockOut if its host has no free GPU."""
    pod_id = run.state.pod.id
    assert pod_id
    if not run.state.end.visiting:
        run.record(PodReopening(pod_id=pod_id))
    started = run.world.cloud.start(pod_id)
    run.record(PodReopened(**terms(run, started, visit_limit(run))))


def visit_limit(run: Run) -> StopAt:
    """Until when the visit may last: the run's own money and time may be used up."""
    budget = run.spec.job.budget
    lasts = timedelta(seconds=budget.ssh_ready_timeout_sec + budget.pull_grace_sec)
    return StopAt(run.world.clock.now() + lasts, "max_runtime")
