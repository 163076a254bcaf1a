"""The choice of candidates to request a pod with."""

from __future__ import annotations

from ..cloud.choosing import choose_for
from ..record.events import CandidatesChosen
from ..run import Run
from .paused import may_recycle


def choose(run: Run) -> None:
    """A ranked list of (GPU, datacenter) candidates within the price limit is recorded.

    A paused pod that can be recycled comes first: then the catalogue is not asked.
    """
    if not run.state.request.candidates and not run.state.request.made and not may_recycle(run):
        choose_again(run)


def choose_again(run: Run) -> None:
    """A new list of candidates is recorded, from the catalogue as it is now. Raises what `choose_for` raises."""
    ranking = choose_for(run.spec, run.world.cloud)
    run.record(CandidatesChosen(candidates=ranking.candidates, skipped=ranking.skipped))
