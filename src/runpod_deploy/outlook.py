"""What can be found out for a plan before anything is done: candidates, what would ship, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .errors import ConfigError, StockOut
from .phases.check import missing_paths, missing_sources
from .plan import Outlook
from .pods import Candidate
from .run import Cloud
from .selection import Ranking, rank
from .shipment import survey
from .spec import PodSpec, SecretSpec, Spec


def look_ahead(spec: Spec, cloud: Cloud | None, environ: Mapping[str, str]) -> Outlook:
    """The outlook of a run; without a cloud the config's first choice is taken for granted.

    Raises what choosing would raise: ConfigError, StockOut, CloudUnreachable, AuthRefused.
    """
    pod, volume_id = where(spec, cloud)
    ranking = ranked(spec, pod, cloud) if cloud else Ranking((first_choice(spec),))
    return Outlook(
        candidates=ranking.candidates,
        skipped=ranking.skipped,
        volume_id=volume_id,
        shipments=tuple(survey(entry, spec.project_root) for entry in spec.job.staging),
        secrets_here={secret.name: is_here(spec, secret, environ) for secret in spec.job.secrets},
    )


def where(spec: Spec, cloud: Cloud | None) -> tuple[PodSpec, str]:
    """The pod as flags and the network volume leave it, and the volume's id."""
    pod = spec.job.pod
    volume_id = "<volume-id>"
    if cloud and spec.job.storage.volume_name:
        volume_id, datacenter = cloud.volume(spec.job.storage.volume_name)
        pod = replace(pod, datacenters=(datacenter,))
    if spec.gpu_id and spec.datacenter_id:
        pod = replace(pod, gpu_order=(spec.gpu_id,), datacenters=(spec.datacenter_id,))
    return pod, volume_id


def ranked(spec: Spec, pod: PodSpec, cloud: Cloud) -> Ranking:
    """The candidates as the catalogue is now, on the config's cloud and then on the fallback."""
    clouds = dict.fromkeys(kind for kind in (pod.cloud_type, spec.fallback_cloud_type) if kind)
    rankings: list[Ranking] = []
    refusals: list[StockOut | ConfigError] = []
    for cloud_type in clouds:
        offers = cloud.catalogue(cloud_type, gpu_count=pod.gpu_count, cpu=pod.cpu is not None)
        try:
            limit = spec.job.budget.max_gpu_price
            rankings.append(rank(pod, offers, cloud_type=cloud_type, max_usd_per_gpu_hour=limit))
        except (StockOut, ConfigError) as refusal:
            refusals.append(refusal)
    if not rankings:
        raise refusals[0]
    candidates = tuple(candidate for ranking in rankings for candidate in ranking.candidates)
    return Ranking(candidates, tuple(reason for ranking in rankings for reason in ranking.skipped))


def first_choice(spec: Spec) -> Candidate:
    """The first GPU in the first datacenter of the config."""
    pod = spec.job.pod
    return Candidate(
        gpu_id=spec.gpu_id or pod.cpu or pod.gpu_order[0],
        datacenter_id=spec.datacenter_id or pod.datacenters[0],
        cloud_type=pod.cloud_type,
    )


def is_here(spec: Spec, secret: SecretSpec, environ: Mapping[str, str]) -> bool:
    """Whether a secret's value could be had now; the value itself is not looked at."""
    if secret.file is not None:
        return (spec.project_root / Path(secret.file).expanduser()).is_file()
    return all(name in environ for name in secret.env)


def refuse_missing(spec: Spec, outlook: Outlook) -> None:
    """Returns if everything that the run needs from here is here. Raises ConfigError."""
    problems = [*missing_paths(spec), *missing_sources(spec)]
    problems += [f"secrets: {name}: its value is not here" for name, here in outlook.secrets_here.items() if not here]
    if problems:
        raise ConfigError("; ".join(problems), hint="put these in place before the run")
