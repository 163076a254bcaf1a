"""What was delivered, compared with what was asked for: GPUs, datacenter, cloud and price. Knows no create call."""

from __future__ import annotations

from collections.abc import Iterator

from ..cloud import price_limit
from ..cloud.rates import Rate
from ..cloud.values import Candidate, Pod
from ..errors import CloudUnreachable, ReleaseUnconfirmed
from ..record.events import PodAbandoned, PodDiscarded, PriceDoubted
from ..run import Run
from ..spec import RunpodJobSpec
from .release import confirm_deleted


def accept(run: Run, candidates: tuple[Candidate, ...], pod: Pod) -> bool:
    """Whether the pod, which is recorded, is what was asked for with one of these candidates. If not, it is gone.

    Raises CloudUnreachable if the API does not confirm that.
    """
    reasons = differences(run.spec.job, candidates, pod)
    if reasons:
        give_up(run, pod.id, f"it is not what was asked for: {'; '.join(reasons)}")
    return not reasons


def give_up(run: Run, pod_id: str, reason: str) -> None:
    """The pod is gone, and the journal says why.

    Raises CloudUnreachable if the API does not confirm that: the release of the run tries again, and has the last word.
    """
    run.record(PodAbandoned(pod_id=pod_id, reason=reason))
    discard(run, reason)


def discard(run: Run, reason: str = "it was given up before") -> None:
    """The pod that the run gave up last is gone: before another is asked for, since the journal names only one.

    Raises CloudUnreachable if the API does not confirm that.
    """
    pod_id = run.state.pod.discarding
    if pod_id is None:
        return
    try:
        confirm_deleted(run, pod_id)
    except ReleaseUnconfirmed as error:
        raise CloudUnreachable(f"{reason}, and then: {error.message}", hint=error.hint) from error
    run.record(PodDiscarded(pod_id=pod_id))


def differences(job: RunpodJobSpec, candidates: tuple[Candidate, ...], pod: Pod) -> list[str]:
    """What differs from the request, as far as the API tells: it may be silent about a pod that has just been made.

    Without candidates, as for a pod that was started again, only the GPUs' number and their price are compared.
    """
    return [*other_place(job, candidates, pod), *fewer_gpus(job, pod), *over_the_limit(job, pod)]


def other_place(job: RunpodJobSpec, candidates: tuple[Candidate, ...], pod: Pod) -> Iterator[str]:
    """Another GPU, datacenter or cloud. Any datacenter that the config names is as good as the one that was asked."""
    places = {*job.pod.datacenters, *(c.datacenter_id for c in candidates)}
    asked: list[tuple[str, str | None, set[str]]] = [
        ("GPU", pod.gpu_id, {c.gpu_id for c in candidates}),
        ("datacenter", pod.datacenter_id, set() if "" in places else places),
        ("cloud", pod.cloud_type, {c.cloud_type for c in candidates}),
    ]
    for what, delivered, wanted in asked if candidates else ():
        if delivered and wanted and delivered not in wanted:
            yield f"{what} {delivered} instead of {' or '.join(sorted(wanted))}"


def fewer_gpus(job: RunpodJobSpec, pod: Pod) -> Iterator[str]:
    """Fewer GPUs than asked for. RunPod starts paused pods without any, if others rent their GPUs now."""
    if job.pod.cpu is None and pod.gpu_count is not None and pod.gpu_count < job.pod.gpu_count:
        yield f"{pod.gpu_count} GPUs instead of {job.pod.gpu_count}"


def over_the_limit(job: RunpodJobSpec, pod: Pod) -> Iterator[str]:
    """A price above the limit, which the catalogue showed lower."""
    if pod.usd_per_hour is None:
        return
    per_gpu = pod.usd_per_hour / (pod.gpu_count or job.pod.gpu_count)
    if reason := price_limit.objection(per_gpu, job.budget.max_gpu_price):
        yield reason


def note_doubt(run: Run, pod: Pod, rate: Rate) -> None:
    """The journal says so if the API's price cannot be right, and with which price the run is planned."""
    if rate.source != "pod_describe":
        told, planned = pod.usd_per_hour, rate.usd_per_hour
        run.record(
            PriceDoubted(pod_id=pod.id, told_usd_per_hour=told, planned_usd_per_hour=planned, price_source=rate.source)
        )
