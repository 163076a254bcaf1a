"""The candidates for a run: its config compared with the catalogue. Asks the cloud, and changes nothing."""

from __future__ import annotations

from dataclasses import replace

from ..errors import ConfigError, StockOut
from ..spec import PodSpec, Spec
from .protocol import Cloud
from .selection import Ranking, rank


def choose_for(spec: Spec, cloud: Cloud) -> Ranking:
    """The candidates on the config's cloud, then those on the fallback cloud.

    Raises what `rank` raises, CloudUnreachable and AuthRefused.
    """
    pod, _ = narrowed(spec, cloud)
    rankings: list[Ranking] = []
    refusals: list[StockOut | ConfigError] = []
    for cloud_type in dict.fromkeys(kind for kind in (pod.cloud_type, spec.fallback_cloud_type) if kind):
        try:
            rankings.append(ranked(spec, pod, cloud, cloud_type))
        except (StockOut, ConfigError) as refusal:
            refusals.append(refusal)
    if not rankings:
        raise refusals[0]
    candidates = tuple(candidate for ranking in rankings for candidate in ranking.candidates)
    skipped = tuple(reason for ranking in rankings for reason in ranking.skipped)
    return Ranking(candidates, skipped, tuple(dict.fromkeys(note for ranking in rankings for note in ranking.resolved)))


def narrowed(spec: Spec, cloud: Cloud) -> tuple[PodSpec, str | None]:
    """The pod section, narrowed by flags and by a network volume, which is in one datacenter; and the volume's id."""
    pod, volume_id = spec.job.pod, None
    if spec.job.storage.volume_name:
        volume_id, datacenter = cloud.volume(spec.job.storage.volume_name)
        pod = replace(pod, datacenters=(datacenter,))
    if spec.gpu_id and spec.datacenter_id:
        pod = replace(pod, gpu_order=(spec.gpu_id,), datacenters=(spec.datacenter_id,))
    return pod, volume_id


def ranked(spec: Spec, pod: PodSpec, cloud: Cloud, cloud_type: str) -> Ranking:
    """The candidates on one cloud."""
    offers = cloud.catalogue(
        cloud_type, gpu_count=pod.gpu_count, cpu=pod.cpu is not None, vcpu_count=pod.min_vcpu_count or 2
    )
    limit = spec.job.budget.max_gpu_price
    return rank(pod, offers, cloud_type=cloud_type, max_usd_per_gpu_hour=limit)
