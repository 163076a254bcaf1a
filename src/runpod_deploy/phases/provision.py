"""The pod of the run: requested, created or found again, and recorded with its price."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from ..cloud.choosing import narrowed
from ..cloud.pod_labels import BOOT_DEADLINE_LABEL, CAP_LABEL, CLOSING_LABEL, TOKEN_LABEL, WORK_LABEL
from ..cloud.rates import real_rate
from ..cloud.selection import cuda_floor
from ..cloud.values import Candidate, Pod, PodRequest
from ..errors import (
    AnswerUnclear,
    AuthRefused,
    BalanceSpent,
    CloudUnreachable,
    ConfigError,
    DeployError,
    ReleaseUnconfirmed,
    StockOut,
)
from ..machine.clock import wait_until
from ..money import closing_s
from ..pod import guard
from ..pod.openssh import control_dir
from ..record.events import (
    CloudTypeFallback,
    CreateUnclear,
    DatacenterFailover,
    GpuSelected,
    PodRefused,
    PodRequested,
)
from ..run import Run
from ..spec.work_of import work_of
from . import heartbeat, late
from .another_machine import settle_race, take_over
from .candidates import is_wrong_everywhere, no_pod, untried
from .choose import choose_again
from .created import created
from .delivered import accept, discard, note_doubt
from .guard_terms import first_terms
from .intents import record_intent
from .limits import spent_so_far
from .migrated import end_before_another
from .paused import name_left_behind, recycle

# How often one candidate is tried when the answer is lost each time and no pod shows up.
UNCLEAR_TRIES = 3
STOCK_EVERY_S = 30.0


def provision(run: Run) -> None:
    """Exactly one pod of this run exists and its id is in the journal.

    Raises StockOut when every candidate refused, Detach when another machine has the run, and what the cloud raises.
    """
    discard(run)
    if not (run.state.has_running_pod or take_over(run) or recycle(run)):
        request_pod(run)
    if run.state.job.pid is None:
        settle_race(run)


def request_pod(run: Run) -> None:
    """A new pod of this run exists. Raises as `provision` does."""
    name_left_behind(run)
    if not run.state.request.candidates:
        choose_again(run)
    if place_somewhere(run):
        return
    within_s = run.spec.wait_for_stock_s
    if within_s is None or is_wrong_everywhere(run) or not wait_for_stock(run, within_s):
        raise no_pod(run)


def wait_for_stock(run: Run, within_s: float) -> bool:
    """Whether a pod could be placed within this time. The catalogue is asked again before each attempt."""

    def look() -> bool | None:
        heartbeat.record_if_due(run, "waiting for stock")
        choose_again(run)
        return place_somewhere(run) or None

    try:
        return wait_until(run.world.clock, look, every_s=STOCK_EVERY_S, within_s=within_s, what="stock")
    except TimeoutError:
        return False


def place_somewhere(run: Run) -> bool:
    """Whether a pod of this run exists now: from an earlier request, or from the first candidate with stock."""
    if run.state.request.pending and adopt(run, run.state.request.pending, late.CREATE_TAKES_S):
        return True
    return any(place(run, candidate) for candidate in untried(run))


def place(run: Run, candidate: Candidate) -> bool:
    """Whether a pod was created from this candidate. A refusal is recorded; an unclear answer is cleared up first."""
    end_before_another(run)
    request = pod_request(run, candidate)
    for _ in range(UNCLEAR_TRIES):
        if candidate not in untried(run):
            return False  # its pod was found, and was not what was asked for
        run.signals.checkpoint()
        with run.signals.critical():  # from the intent to the answer: otherwise a signal would leave a pod to look for
            record_request(run, candidate)
        try:
            with run.signals.critical():
                pod = run.world.cloud.create(request, candidate)
        except (StockOut, ConfigError) as refusal:
            return record_refusal(run, candidate, refusal)
        except (AuthRefused, BalanceSpent) as refusal:
            run.record(PodRefused(reason=refusal.message))
            raise
        except AnswerUnclear as error:
            if (found := cleared_up(run, candidate, error)) is not None:
                return found
            last = error
            continue
        record_created(run, candidate, pod, adopted=False)
        return accept(run, (candidate,), pod)
    raise CloudUnreachable(f"the pod could not be created: {last.message}", hint=last.hint)


def cleared_up(run: Run, candidate: Candidate, error: AnswerUnclear) -> bool | None:
    """Whether the create call without a clear answer has made a pod; None if none has shown up, so that it may be
    repeated.

    An error text that names a refusal is believed after one look. Raises BalanceSpent, CloudUnreachable.
    """
    if error.likely is not None:
        return adopt(run, candidate, 0.0) or refused_after_all(run, candidate, error.likely)
    run.record(CreateUnclear(reason=error.message))
    return adopt(run, candidate, late.CREATE_TAKES_S) or None


def refused_after_all(run: Run, candidate: Candidate, refusal: DeployError) -> bool:
    """False, once the refusal of the candidate is recorded. Raises the refusal if it holds for every candidate."""
    if isinstance(refusal, StockOut):
        return record_refusal(run, candidate, refusal)
    run.record(PodRefused(reason=refusal.message))
    raise refusal


def record_request(run: Run, candidate: Candidate) -> None:
    """The intent is on disk: whatever happens to the create call, the name to look for is known."""
    intent = PodRequested(
        name=run.spec.run_id,
        gpu_id=candidate.gpu_id,
        datacenter_id=candidate.datacenter_id,
        cloud_type=candidate.cloud_type,
        account=run.world.cloud.account,
    )
    record_intent(run, intent)


def record_refusal(run: Run, candidate: Candidate, refusal: StockOut | ConfigError) -> bool:
    """False, once the refusal is recorded, with the candidate that is tried next.

    Also an invalid request may be invalid for this candidate only: a GPU that is not offered there.
    """
    later = [c for c in untried(run) if c != candidate]
    run.record(
        DatacenterFailover(
            from_=candidate.datacenter_id,
            to=later[0].datacenter_id if later else None,
            reason=refusal.message,
            kind=refusal.kind,
            gpu_id=candidate.gpu_id,
            datacenter_id=candidate.datacenter_id,
            cloud_type=candidate.cloud_type,
        )
    )
    return False


def adopt(run: Run, candidate: Candidate, within_s: float) -> bool:
    """Whether a pod of an unclear create call has shown up, which is then used; others that have are deleted.

    Raises CloudUnreachable if nobody could tell.
    """
    pods = late.look_for(run, within_s)
    if not pods:
        return False
    record_created(run, candidate, pods[0], adopted=True)
    with suppress(ReleaseUnconfirmed):  # the release of the run looks for them again
        for pod in pods[1:]:
            late.end_pod(run, pod)
    return accept(run, (candidate, *run.state.request.candidates), pods[0])


def record_created(run: Run, candidate: Candidate, pod: Pod, *, adopted: bool) -> None:
    """The pod and its price are recorded, and with them the instant at which the run must stop."""
    rate = real_rate(run.spec.job, pod, candidate)
    event = created(run, pod, rate, started_counting_at(run, pod), spent_so_far(run))
    run.record(
        replace(
            event,
            gpu_id=event.gpu_id or candidate.gpu_id,
            datacenter_id=event.datacenter_id or candidate.datacenter_id,
            cloud_type=event.cloud_type or candidate.cloud_type,
            adopted=adopted,
        )
    )
    note_doubt(run, pod, rate)
    record_choice(run, candidate)


def record_choice(run: Run, candidate: Candidate) -> None:
    """The chosen GPU and datacenter are recorded, in the events that existing drivers read."""
    state, wanted = run.state, run.spec.job.pod.cloud_type
    gpu_id, datacenter_id = state.pod.gpu_id or candidate.gpu_id, state.pod.datacenter_id or candidate.datacenter_id
    run.record(GpuSelected(gpu_id=gpu_id, datacenter_id=datacenter_id))
    if candidate.cloud_type != wanted:
        run.record(
            CloudTypeFallback(
                from_cloud_type=wanted,
                to_cloud_type=candidate.cloud_type,
                gpu_id=gpu_id,
                datacenter_id=datacenter_id,
            )
        )


def started_counting_at(run: Run, pod: Pod) -> datetime:
    """When the pod began to cost money: the API's word on it, kept between the run's start and now by our own clock."""
    now = run.world.clock.now()
    earliest = run.state.started_at or now
    return min(max(pod.created_at or now, earliest), now)


def pod_request(run: Run, candidate: Candidate) -> PodRequest:
    """Everything of the create call that the config asks for."""
    pod, storage = run.spec.job.pod, run.spec.job.storage
    _, volume_id = narrowed(run.spec, run.world.cloud)
    return PodRequest(
        name=run.spec.run_id,
        image=pod.image,
        gpu_count=pod.gpu_count,
        container_disk_gb=pod.container_disk_gb,
        ports=pod.ports if "22/tcp" in pod.ports else (*pod.ports, "22/tcp"),
        env=pod_env(run, candidate),
        volume_mount=storage.volume_mount,
        volume_gb=storage.volume_gb if volume_id is None else None,
        network_volume_id=volume_id,
        start_command=guard.start_command(pod.image, pod.start_command),
        min_cuda_version=pod.min_cuda_version or (None if pod.cpu else cuda_floor(pod.image)),
        min_vcpu_count=pod.min_vcpu_count,
        min_memory_gb=pod.min_memory_gb,
        registry_auth=pod.registry_auth,
        template_id=pod.template_id,
        cpu=pod.cpu is not None,
    )


def pod_env(run: Run, candidate: Candidate) -> dict[str, str]:
    """The container's environment: the config's variables, the SSH keys, our labels, and the guard's first terms."""
    keys = run.world.authorized_keys(run.spec, run.dir)
    boots_until = run.world.clock.now() + timedelta(seconds=run.spec.job.budget.ssh_ready_timeout_sec)
    return {
        **run.spec.job.pod.env,
        "PUBLIC_KEY": keys,
        **({TOKEN_LABEL: run.spec.token} if run.spec.token else {}),
        **({WORK_LABEL: work_of(run.spec)} if run.spec.any_machine else {}),
        BOOT_DEADLINE_LABEL: str(int(boots_until.timestamp())),
        CAP_LABEL: str(run.spec.job.budget.cost_cap_usd),
        CLOSING_LABEL: str(closing_s(run.spec.job.budget)),
        **guard.pod_env(control_dir(run.spec.job, run.spec.run_id), first_terms(run, candidate)),
    }
