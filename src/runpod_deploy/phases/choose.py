"""The choice of candidates to request a pod with."""

from __future__ import annotations

from ..cloud.choosing import choose_for
from ..cloud.rates import expected_forecast
from ..record.events import BalanceLow, CandidatesChosen
from ..run import Run
from .paused import may_recycle


def choose(run: Run) -> None:
    """A ranked list of (GPU, datacenter) candidates within the price limit is recorded.

    A paused pod that can be recycled comes first: then the catalogue is not asked.
    """
    if run.state.request.candidates or run.state.request.made:
        return
    if not may_recycle(run):
        choose_again(run)
    warn_of_low_balance(run)


def choose_again(run: Run) -> None:
    """A new list of candidates is recorded, from the catalogue as it is now. Raises what `choose_for` raises."""
    ranking = choose_for(run.spec, run.world.cloud)
    run.record(CandidatesChosen(candidates=ranking.candidates, skipped=ranking.skipped, resolved=ranking.resolved))


def warn_of_low_balance(run: Run) -> None:
    """The journal says so if the account has less than the run may cost. RunPod ends pods without credit."""
    credit_usd, needed_usd = run.world.cloud.credit_usd(), most_usd(run)
    if credit_usd is not None and credit_usd < needed_usd:
        run.record(BalanceLow(balance_usd=credit_usd, needed_usd=needed_usd))


def most_usd(run: Run) -> float:
    """What the run costs if its limits stop it, with the most expensive candidate; the cap if there is none yet."""
    job = run.spec.job
    costs = [expected_forecast(job, candidate).cost_usd for candidate in run.state.request.candidates]
    return round(max(costs, default=job.budget.cost_cap_usd), 4)
