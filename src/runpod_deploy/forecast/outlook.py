"""The facts for a plan, found without doing anything: candidates, files to upload, missing secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..cloud.choosing import choose_for, narrowed
from ..cloud.gpu_order import known_order
from ..cloud.protocol import Cloud
from ..cloud.selection import Ranking
from ..cloud.values import Candidate
from ..errors import ConfigError
from ..phases.check import problems_of, secret_problems
from ..pod.transfer.shipment import survey
from ..spec import Spec
from .plan import Outlook


def look_ahead(spec: Spec, cloud: Cloud | None, environ: Mapping[str, str]) -> Outlook:
    """The facts for the plan of a run. Without a cloud the config's first choice is taken for granted.

    Raises what the phase `choose` would raise: ConfigError, StockOut, CloudUnreachable, AuthRefused.
    """
    ranking = choose_for(spec, cloud) if cloud else Ranking((first_choice(spec),))
    volume_id = narrowed(spec, cloud)[1] if cloud else None
    return Outlook(
        candidates=ranking.candidates,
        skipped=ranking.skipped,
        resolved=ranking.resolved,
        volume_id=volume_id or "<volume-id>",
        shipments=tuple(survey(entry, spec.project_root) for entry in spec.job.staging),
        secrets_here={s.name: not any(secret_problems(spec, s, environ)) for s in spec.job.secrets},
    )


def first_choice(spec: Spec) -> Candidate:
    """The first GPU in the first datacenter of the config."""
    pod = spec.job.pod if spec.gpu_id is None else replace(spec.job.pod, gpu_order=(spec.gpu_id,))
    return Candidate(
        gpu_id=known_order(pod).ids[0],
        datacenter_id=spec.datacenter_id or pod.datacenters[0],
        cloud_type=pod.cloud_type,
    )


def refuse_missing(spec: Spec, outlook: Outlook) -> None:
    """Returns if everything that the run needs from this machine exists. Raises ConfigError."""
    problems = [str(problem) for problem in problems_of(spec)]
    problems += [f"secrets: {name}: its value is not here" for name, here in outlook.secrets_here.items() if not here]
    if problems:
        raise ConfigError("; ".join(problems), hint="put these in place, then run")
