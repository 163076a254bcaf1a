"""From a pod that bills to a pod as the lifecycle policy asks, confirmed by the API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from ..cloud.pod_labels import is_foreign
from ..cloud.removal import CONSOLE_URL, NotConfirmed, never, until_confirmed
from ..cloud.values import Pod
from ..errors import DeployError, ReleaseUnconfirmed
from ..machine.clock import wait_until, within
from ..money import cents
from ..record.events import PodReleased, ReleaseStarted
from ..run import Run
from ..spec import LifecycleAction
from . import late, snapshots
from .account import is_proven
from .late import UNSEEN_FOR_S
from .lease import left_if_taken
from .migrated import end_migrated
from .secret_files import remove_secrets

RELEASE_EVERY_S = 1.0
# A pod that is about to be stopped costs money: its secrets are tried once more, for this long.
FORGET_WITHIN_S = 10.0
DISARM_WITHIN_S = 30.0


def release(run: Run) -> None:
    """The pod is in the state that the lifecycle policy asks for, and the API has confirmed it.

    Raises ReleaseUnconfirmed, and Detach if another machine has the run.
    """
    if not run.state.pod_may_exist:
        return
    left_if_taken(run)
    action = policy(run)
    run.record(ReleaseStarted(action=action))
    if action != "delete":
        forget_secrets(run)
        disarm(run, action)
    released = [PodReleased(action=action, state=None)]

    def own() -> None:
        released[:] = [release_own(run, action)]

    every_one_tried(own, partial(release_given_up, run), partial(late.end_all, run), partial(end_migrated, run))
    run.record(released[0])


def every_one_tried(*steps: Callable[[], None]) -> None:
    """Every step was tried: one pod that cannot be ended does not keep the others. Raises ReleaseUnconfirmed."""
    errors: list[ReleaseUnconfirmed] = []
    for step in steps:
        try:
            step()
        except ReleaseUnconfirmed as error:
            errors.append(error)
    if errors:
        raise ReleaseUnconfirmed("; ".join(error.message for error in errors), hint=errors[0].hint)


def release_own(run: Run, action: LifecycleAction) -> PodReleased:
    """The run's pod is as the action asks, and what was done. Raises ReleaseUnconfirmed."""
    if run.state.pod.id is None:
        return PodReleased(action=action, state=None)
    seen = await_seen(run, run.state.pod.id)
    snapshots.described_at_end(run, seen)
    try:
        pod = as_asked(run, run.state.pod.id, action, seen)
    except NoStopFromError:
        action, pod = "delete", confirm_released(run, run.state.pod.id, "delete")
    return PodReleased(action=action, state=pod.status if pod else None, last_state=seen.status if seen else None)


def release_given_up(run: Run) -> None:
    """The pod that the run gave up before is gone. Raises ReleaseUnconfirmed."""
    pod_id = run.state.pod.discarding
    if pod_id is not None and pod_id != run.state.pod.id:
        confirm_deleted(run, pod_id)


def policy(run: Run) -> LifecycleAction:
    """The action for the pod, read from the journal and never from a flag. A reopened pod is paused again."""
    if run.state.end.reopened:
        return "stop"
    lifecycle, wish = run.spec.job.lifecycle, run.state.end.wish
    if wish in ("stop", "delete"):
        return "delete" if wish == "delete" else "stop"
    return lifecycle.on_success if run.state.result == "succeeded" else lifecycle.on_failure


def forget_secrets(run: Run) -> None:
    """No secret stays on a pod that is kept, if it answers: an interrupt may have skipped their removal."""
    if run.state.pod_answers:
        with suppress(DeployError, TimeoutError):
            remove_secrets(run, FORGET_WITHIN_S)


def disarm(run: Run, action: LifecycleAction) -> None:
    """The guard will not end a pod that is meant to stay, if the pod answers.

    Until a stop is confirmed the guard stays armed: if our process died here, only the guard would end the pod.
    """
    if run.state.pod.guard_deadline_at and run.state.pod_answers:
        with suppress(DeployError, TimeoutError), within(run.world.clock, DISARM_WITHIN_S, "disarming the guard"):
            run.host.disarm(from_next_start=action != "preserve")


def confirm_deleted(run: Run, pod_id: str) -> None:
    """The pod does not exist any more, and the API has confirmed it. Raises ReleaseUnconfirmed."""
    confirm_released(run, pod_id, "delete")


class NoStopFromError(ReleaseUnconfirmed):
    """The pod's status is ERROR, in which it cannot be stopped, and nothing was started on it that could be lost."""


def confirm_released(run: Run, pod_id: str, action: LifecycleAction) -> Pod | None:
    """The pod as the action leaves it, confirmed by the API; None if it is gone. Raises ReleaseUnconfirmed."""
    return as_asked(run, pod_id, action, await_seen(run, pod_id))


def as_asked(run: Run, pod_id: str, action: LifecycleAction, seen: Pod | None) -> Pod | None:
    """The pod, which the API has shown like this, as the action leaves it; None if it is gone. Raises as above."""
    check_ours(run, pod_id, seen)
    answers = partial(pod_speaks, run) if pod_id == run.state.pod.id else never
    try:
        return until_confirmed(run.world.cloud, run.world.clock, pod_id, action, answers)
    except NotConfirmed as last:
        raise not_released(run, pod_id, action, last) from None


def not_released(run: Run, pod_id: str, action: LifecycleAction, last: NotConfirmed) -> ReleaseUnconfirmed:
    """The error for a release that the API did not confirm."""
    error = unconfirmed(run, pod_id, last.reason)
    if action == "delete" or last.pod is None or last.pod.status != "ERROR":
        return error
    if run.state.job.pid is None:
        return NoStopFromError(error.message, hint=error.hint)
    kept = "its disk may hold results, so it was not deleted: start it in the console, or delete it with"
    return ReleaseUnconfirmed(error.message, hint=f"{kept} `runpod-deploy audit --reap --pod {pod_id}`")


def pod_speaks(run: Run) -> bool:
    """Whether the pod answers over SSH, so that it exists whatever the API says."""
    return run.state.pod.address is not None and run.try_host(run.state.pod.address) is None


def check_ours(run: Run, pod_id: str, pod: Pod | None) -> None:
    """Raises ReleaseUnconfirmed if the pod bears the token of another run: then it is not touched.

    If somebody may have sent the run folder, its pod must bear the run's own token.
    """
    request = run.state.request
    if pod is None:
        return
    if all(is_foreign(pod, token) for token in (request.token, request.taken_token)):
        raise unconfirmed(run, pod_id, "it bears the token of another run, so it was not touched")
    if run.prove and not is_proven(run.state, pod):
        raise unconfirmed(run, pod_id, "nothing on it shows that it is this run's, so it was not touched")


def await_seen(run: Run, pod_id: str) -> Pod | None:
    """The pod, if the API knows it. A new pod has time to become known: until then the API cannot end it.

    An API that does not answer now is no error: the release asks again.
    """
    unseen = run.state.pod.unseen

    def look() -> Pod | None:
        with suppress(DeployError):
            return run.world.cloud.get(pod_id)
        return None

    # The time counts from now, not from the creation: the clock may have been set.
    within_s = UNSEEN_FOR_S if unseen is not None and unseen[0] == pod_id else 0.0
    with suppress(TimeoutError), run.world.cloud.bounded(within_s):
        return wait_until(run.world.clock, look, every_s=RELEASE_EVERY_S, within_s=within_s, what="the new pod")
    return None


def unconfirmed(run: Run, pod_id: str, reason: str) -> ReleaseUnconfirmed:
    """The error that says what may still bill, how much, and where to end it by hand."""
    rate = run.state.cost.usd_per_hour
    price = f" at ${cents(rate)} per hour" if rate else ""
    return ReleaseUnconfirmed(
        f"POD {pod_id} MAY STILL BE BILLING{price} ({reason}): end it at {CONSOLE_URL}",
        hint=f"or try again with `runpod-deploy resume {run.dir.path}`",
    )
