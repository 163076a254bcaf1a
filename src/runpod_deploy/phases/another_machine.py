"""A run id that was asked for by name may have been begun on another machine: its pod is found, and taken over.

There is never a second pod, and the other machine's pod is never ended from here before this one carries the run out.
Knows what the API says about the pods with the run's id; the lease on the pod decides who has the run.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from ..cloud.pod_labels import WORK_LABEL, token_of
from ..cloud.proxy import proxy_urls
from ..cloud.rates import real_rate
from ..cloud.values import Address, Pod
from ..errors import DeployError, SshLost
from ..machine.clock import wait_until
from ..pod.protocol import Host, Lease
from ..record.events import PodCreated, PodReachable
from ..run import Run
from ..spec.work_of import work_of
from . import heartbeat
from .created import created
from .delivered import give_up
from .intents import record_intent
from .lease import ALONE_S, UNKNOWN, claim_of, holder_of, is_alone, is_own
from .leaving import Detach, elsewhere
from .pod_note import PodNote, read_note, taken_over

LOOK_EVERY_S = 10.0
LISTING_AGE_S = 5.0
AGAIN = "wait for it with --wait, or ask again later"


class Held(Exception):
    """Another machine has the run, or may have it: it cannot be taken over now."""

    def __init__(self, message: str, hint: str = AGAIN) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def take_over(run: Run) -> bool:
    """Whether a pod of this run that another machine requested is this machine's now.

    Raises Detach if there is such a pod, and it could not be had within the time to wait.
    """
    if not run.spec.any_machine or run.state.request.pending is not None or not theirs(run, LISTING_AGE_S):
        return False
    last = Held("")

    def look() -> bool | None:
        nonlocal last
        heartbeat.record_if_due(run, "waiting for another machine")
        pods = theirs(run)  # an older listing may still say that the pod boots
        if not pods:
            raise elsewhere(
                f"run {run.spec.run_id} was carried out by another machine, and its pod is gone: its results are there",
                hint="to carry it out here, ask again; two machines that share --journal are told how it ended",
            )
        try:
            return take(run, pods[0])
        except Held as error:
            last = error
            return None

    try:
        return wait_until(run.world.clock, look, every_s=LOOK_EVERY_S, within_s=run.wait_s, what="the other machine")
    except TimeoutError:
        raise elsewhere(last.message, last.hint) from None


def theirs(run: Run, max_age_s: float = 0.0) -> list[Pod]:
    """The pods that another machine requested for the run of this id, the oldest first.

    A run that was not begun with `--run-id` is another run, even if its id is the same.
    """
    own = {run.spec.token, run.state.request.token}
    found = run.world.cloud.find_id(run.spec.run_id, max_age_s)
    left = [pod for pod in found if WORK_LABEL in pod.env and token_of(pod) not in own and pod.status != "TERMINATED"]
    return sorted(left, key=age_key)


def age_key(pod: Pod) -> tuple[datetime, str]:
    """The order of pods in which every machine sees them: the oldest first."""
    return pod.created_at or datetime.max.replace(tzinfo=UTC), pod.id


def take(run: Run, pod: Pod) -> bool:
    """True, once this machine has the run of the pod and the journal knows it. Raises Held, ConfigError."""
    name = f"run {run.spec.run_id} has pod {pod.id}"
    require_takeable(run, pod, name)
    assert pod.address
    run.told.add(pod.address)
    host = run.world.reach(run.spec, run.dir, pod.address, run.state.pod.boots + 1)
    try:
        lease = lease_on(run, host, pod.address, name)
        require_alone(run, pod, lease)
        if not is_own(run, pod.id, lease) and not took(run, host, pod.id, lease):
            raise Held(f"{name}, and another machine has just taken it over")
    except (SshLost, TimeoutError) as error:
        raise Held(f"{name}, which does not answer over SSH now: {error}") from error
    finally:
        host.close()
    record_taken_over(run, pod, lease)
    return True


def require_takeable(run: Run, pod: Pod, name: str) -> None:
    """The pod runs, and does what this run asks for. Raises Held."""
    how = f"`runpod-deploy audit` shows it, and `runpod-deploy audit --reap --pod {pod.id}` deletes it"
    if pod.env.get(WORK_LABEL) != work_of(run.spec):
        raise Held(
            f"{name}, and was begun with another config or other variables",
            hint="give the run another --run-id, or use the config and the variables that it was begun with",
        )
    if pod.status in ("EXITED", "ERROR"):
        raise Held(f"{name}, whose status is {pod.status}: the run was carried out elsewhere", hint=how)
    if pod.address is None:
        raise Held(f"{name}, which boots: the machine that asked for it may be waiting for it")


def lease_on(run: Run, host: Host, address: Address, name: str) -> Lease:
    """The lease on the pod; this run's key may log in there from now on. Raises Held, SshLost."""
    try:
        return host.lease()
    except SshLost as error:
        if error.reason != "auth":
            raise
    refused = run.world.let_in(run.spec, run.dir, address, run.state.pod.boots + 1, run.adopt_key)
    if refused is not None:
        raise Held(
            f"{name}, and this machine cannot log in there: {refused.message}",
            hint="name a private key with --adopt-key whose public half was in ssh.key_path when the run began, or go "
            "on with the run on the machine that began it",
        )
    return host.lease()


def require_alone(run: Run, pod: Pod, lease: Lease) -> None:
    """Nobody else is in touch with the pod. Raises Held."""
    if is_own(run, pod.id, lease):
        return
    up_s = pod.uptime_s if pod.uptime_s is not None else ALONE_S
    if not lease.number and lease.silent_s is None and up_s < ALONE_S:
        near = "the machine that asked for it may be about to log in"
        raise Held(f"run {run.spec.run_id} has pod {pod.id}, which is just up: {near}")
    if not is_alone(lease):
        holder = holder_of(lease) if lease.number else UNKNOWN
        silent = f"{lease.silent_s or 0:.0f} s ago"
        raise Held(f"run {run.spec.run_id} is held by {holder}, which was in touch with its pod {pod.id} {silent}")


def took(run: Run, host: Host, pod_id: str, lease: Lease) -> bool:
    """Whether this machine has the next lease."""
    number = lease.number + 1
    return host.take_lease(number, claim_of(run, pod_id, number), run.world.hostname)


def record_taken_over(run: Run, pod: Pod, lease: Lease) -> None:
    """The journal has the pod as this machine's, with its price, and with what is done there. Raises ConfigError."""
    now = run.world.clock.now()
    here_usd, note = run.state.cost.without_usd(pod.id, now), read_note(lease, token_of(pod))
    taken = replace(taken_over(run, token_of(pod), lease), elsewhere_usd=unknown_here_usd(run, note, here_usd))
    event = created(
        run, pod, real_rate(run.spec.job, pod), min(pod.created_at or now, now), here_usd + taken.elsewhere_usd
    )
    record_intent(run, replace(stopping_earlier(event, note), adopted=True, taken_over=taken))
    assert pod.address
    urls = proxy_urls(pod.id, run.spec.job.pod.ports)
    run.record(PodReachable(host=pod.address.host, port=pod.address.port, urls=urls))


def unknown_here_usd(run: Run, note: PodNote | None, here_usd: float) -> float:
    """What earlier pods have cost beside what is known here, as the pod says: more than the cap cannot be true."""
    return max(0.0, min(note.earlier_usd, run.spec.job.budget.cost_cap_usd) - here_usd) if note else 0.0


def stopping_earlier(event: PodCreated, note: PodNote | None) -> PodCreated:
    """The event with the note's end of the run if that is earlier. A pod may shorten its run, never extend it."""
    if note is None or note.stop_at >= event.stop_at:
        return event
    return replace(
        event, stop_at=note.stop_at, stop_why="max_runtime" if note.stop_why == "max_runtime" else "cost_cap"
    )


def settle_race(run: Run) -> None:
    """No older pod with the run's id is another machine's. Else this run's own is gone, and the process leaves.

    Of two machines that ask at once, each may have made a pod: both see the same one as the older. Raises Detach,
    CloudUnreachable.
    """
    state = run.state
    if not run.spec.any_machine or state.pod.id is None or state.request.taken_from is not None:
        return
    older: list[Pod] = []
    with suppress(DeployError):  # an API that does not answer now is asked again later
        older = older_pods(run, state.pod.id)
    if older:
        give_up(run, state.pod.id, f"another machine was faster: run {run.spec.run_id} has pod {older[0].id}")
        raise lost_race(run, older[0])


def older_pods(run: Run, own_id: str) -> list[Pod]:
    """The other machines' pods with the run's id that are older than its own, the oldest first."""
    found = theirs(run)
    own = run.world.cloud.get(own_id) if found else None
    return [pod for pod in found if own is not None and age_key(pod) < age_key(own)]


def lost_race(run: Run, pod: Pod) -> Detach:
    """The end of this process, since another machine made its pod first."""
    return elsewhere(
        f"run {run.spec.run_id} is held by another machine, which was faster with pod {pod.id}: the pod that was "
        "made here is deleted",
        hint=AGAIN,
    )
