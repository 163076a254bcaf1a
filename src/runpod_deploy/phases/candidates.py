"""The candidates that are left to try, and the error once none is. Knows the state of a run; asks nobody."""

from __future__ import annotations

from ..cloud.values import Candidate
from ..errors import ConfigError, StockOut
from ..run import Run


def untried(run: Run) -> list[Candidate]:
    """The candidates that have not refused yet, in order."""
    return [candidate for candidate in run.state.request.candidates if candidate not in run.state.request.refused]


def priced(run: Run, wanted: Candidate | None) -> Candidate | None:
    """The candidate as it was chosen, with its price in the catalogue; None if it was not chosen."""
    return next((known for known in run.state.request.candidates if known == wanted), None)


def is_wrong_everywhere(run: Run) -> bool:
    """Whether the API called the request invalid for every candidate: then waiting does not help."""
    return run.state.request.refusal_kinds == {"config"} and not untried(run)


def no_pod(run: Run) -> StockOut | ConfigError:
    """The error that names the candidates, none of which has given a pod, and the last reason."""
    request = run.state.request
    tried = ", ".join(f"{c.gpu_id} in {c.datacenter_id}" for c in dict.fromkeys(request.refused)) or "nothing"
    if is_wrong_everywhere(run):
        return ConfigError(
            f"the API refused the request for every candidate ({tried}): {request.last_refusal}",
            hint="the API will answer the same again: change the request",
        )
    why = f"; the last answer: {request.last_refusal}" if request.last_refusal else ""
    return StockOut(
        f"no candidate had a free GPU, and no pod was created; tried {tried}{why}",
        hint="wait for stock with `--wait-for-stock 2h`, add to pod.gpu_order or pod.datacenters, "
        "or see what is in stock with `runpod-deploy gpu-inventory`",
    )
