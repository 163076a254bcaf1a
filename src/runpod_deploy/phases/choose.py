"""Which pods to ask for."""

from __future__ import annotations

from dataclasses import replace

from ..errors import CloudUnreachable, ConfigError, StockOut
from ..events import CandidatesChosen
from ..pods import Candidate
from ..run import Run
from ..selection import Ranking, rank


def choose(run: Run) -> None:
    """A ranked list of (GPU, datacenter) candidates within the price limit is recorded."""
    if not run.state.candidates and not run.state.ever_requested:
        choose_afresh(run)


def choose_afresh(run: Run) -> None:
    """A new list is recorded, from the catalogue as it is now. Raises what `rank` raises."""
    ranking = asked_for(run) if run.spec.gpu_id else from_catalogue(run)
    run.record(CandidatesChosen(candidates=ranking.candidates, skipped=ranking.skipped))


def asked_for(run: Run) -> Ranking:
    """The one combination that the command line names; a price limit holds for it too."""
    pod, spec = run.spec.job.pod, run.spec
    assert spec.gpu_id and spec.datacenter_id
    offers = run.world.cloud.catalogue(pod.cloud_type, gpu_count=pod.gpu_count)
    price = next((offer.usd_per_gpu_hour for offer in offers if offer.gpu_id == spec.gpu_id), None)
    limit = spec.job.budget.max_gpu_price
    if limit is not None and price is None:
        raise CloudUnreachable(f"{spec.gpu_id}: no price to be had, so the price limit cannot be checked")
    if limit is not None and price is not None and price > limit:
        raise StockOut(f"{spec.gpu_id}: ${price:.2f}/hr is over the limit of ${limit:.2f}/hr")
    candidate = Candidate(
        gpu_id=spec.gpu_id,
        datacenter_id=spec.datacenter_id,
        cloud_type=pod.cloud_type,
        usd_per_gpu_hour=price,
    )
    return Ranking((candidate,))


def from_catalogue(run: Run) -> Ranking:
    """The candidates of the cloud that the config names, then those of the fallback cloud."""
    clouds = [run.spec.job.pod.cloud_type]
    if run.spec.fallback_cloud_type and run.spec.fallback_cloud_type not in clouds:
        clouds.append(run.spec.fallback_cloud_type)
    rankings, refusals = [], []
    for cloud_type in clouds:
        try:
            rankings.append(rank_cloud(run, cloud_type))
        except (StockOut, ConfigError) as refusal:
            refusals.append(refusal)
    if not rankings:
        raise refusals[0]
    return Ranking(
        tuple(c for ranking in rankings for c in ranking.candidates),
        tuple(s for ranking in rankings for s in ranking.skipped),
    )


def rank_cloud(run: Run, cloud_type: str) -> Ranking:
    """The candidates of one cloud. A network volume lives in one datacenter: the pod must go there."""
    job = run.spec.job
    pod = job.pod
    if job.storage.mode == "network_volume":
        _, datacenter = run.world.cloud.volume(job.storage.volume_name or "")
        pod = replace(pod, datacenters=(datacenter,))
    offers = run.world.cloud.catalogue(cloud_type, gpu_count=pod.gpu_count, cpu=pod.cpu is not None)
    return rank(pod, offers, cloud_type=cloud_type, max_usd_per_gpu_hour=job.budget.max_gpu_price)
