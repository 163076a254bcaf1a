"""From a pod that bills to what the policy asks for, confirmed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..cloud.removal import CONSOLE_URL, NotConfirmed, is_gone, is_stopped, until_confirmed
from ..cloud.values import Pod
from ..errors import CloudUnreachable, DeployError, ReleaseUnconfirmed
from ..machine.clock import wait_until
from ..record.events import PodReleased, ReleaseStarted
from ..run import Run
from ..spec import LifecycleAction

RELEASE_EVERY_S = 1.0
# The API neither lists nor knows a new pod at once.
UNSEEN_FOR_S = 60.0
# A request without an answer: a pod of our name may still show up for so long.
LATE_WITHIN_S = 20.0


def release(run: Run) -> None:
    """The pod is in the state that the lifecycle policy asks for, and the API has confirmed it.

    Raises ReleaseUnconfirmed.
    """
    if not run.state.pod_may_exist:
        return
    action = policy(run)
    run.record(ReleaseStarted(action=action))
    late = find_late(run) if run.state.request.pending else find_second(run)
    for pod_id in dict.fromkeys([*late, *([run.state.pod.discarding] if run.state.pod.discarding else [])]):
        if pod_id != run.state.pod.id:
            confirm_deleted(run, pod_id)
    if action != "delete":
        disarm(run, action)
    state = carry_out_policy(run, run.state.pod.id, action) if run.state.pod.id else None
    run.record(PodReleased(action=action, state=state))


def policy(run: Run) -> LifecycleAction:
    """What is to become of the pod: read from the outcome, never from a flag; after a visit it is paused again."""
    if run.state.end.reopened:
        return "stop"
    lifecycle = run.spec.job.lifecycle
    return lifecycle.on_success if run.state.result == "succeeded" else lifecycle.on_failure


def disarm(run: Run, action: LifecycleAction) -> None:
    """The guard will not end a pod that is meant to stay, as far as the pod answers.

    While a stop is not confirmed the guard stays armed: it is all that would be left if we died here.
    """
    if run.state.pod.guard_deadline_at and run.state.pod_answers:
        try:
            run.host.disarm(from_next_start=action != "preserve")
        except (DeployError, TimeoutError):
            return


def find_late(run: Run) -> list[str]:
    """Ids of the pods that a request without an answer left behind: look, wait, look."""

    def look() -> list[str] | None:
        return [pod.id for pod in run.world.cloud.find(run.spec.run_id)] or None

    try:
        return wait_until(run.world.clock, look, every_s=RELEASE_EVERY_S, within_s=LATE_WITHIN_S, what="late pods")
    except TimeoutError:
        return []
    except DeployError as error:
        raise unconfirmed(run, None, error.message) from error


def find_second(run: Run) -> list[str]:
    """Ids of all pods of the run, if a request without an answer was made anew: the first may have had its effect."""
    if not run.state.request.repeated:
        return []
    try:
        return [pod.id for pod in run.world.cloud.find(run.spec.run_id)]
    except DeployError as error:
        raise unconfirmed(run, None, error.message) from error


def carry_out_policy(run: Run, pod_id: str, action: LifecycleAction) -> str | None:
    """The pod's confirmed status, None if it is gone."""
    if action == "delete":
        confirm_deleted(run, pod_id)
        return None
    act, reached = (None, anything) if action == "preserve" else (run.world.cloud.stop, is_stopped)
    pod = confirm_released(run, pod_id, act, reached)
    return pod.status if pod else None


def anything(_pod: Pod | None) -> bool:
    """Whatever the API says, as long as it answers."""
    return True


def confirm_deleted(run: Run, pod_id: str) -> None:
    """There is no such pod any more, says the API. Raises ReleaseUnconfirmed."""
    confirm_released(run, pod_id, run.world.cloud.delete, is_gone)


def confirm_released(
    run: Run, pod_id: str, act: Callable[[str], None] | None, reached: Callable[[Pod | None], bool]
) -> Pod | None:
    """The pod as wanted, by the API's own word. Raises ReleaseUnconfirmed."""
    await_seen(run, pod_id)
    try:
        return until_confirmed(run.world.cloud, run.world.clock, pod_id, act, reached)
    except NotConfirmed as last:
        raise unconfirmed(run, pod_id, last.words) from None
    except DeployError as error:  # a key that is refused now, say
        raise unconfirmed(run, pod_id, error.message) from error


def await_seen(run: Run, pod_id: str) -> None:
    """The API knows the pod, or would by now: what it does not know yet it cannot end, and calls gone."""
    unseen = run.state.pod.unseen
    if unseen is None or unseen[0] != pod_id:
        return

    def look() -> bool | None:
        try:
            return True if run.world.cloud.get(pod_id) is not None else None
        except CloudUnreachable:
            return None

    left_s = UNSEEN_FOR_S - (run.world.clock.now() - unseen[1]).total_seconds()
    with suppress(TimeoutError, DeployError):
        wait_until(run.world.clock, look, every_s=RELEASE_EVERY_S, within_s=max(0.0, left_s), what="the new pod")


def unconfirmed(run: Run, pod_id: str | None, reason: str) -> ReleaseUnconfirmed:
    """The loudest error that we have: what bills, how much, and where to end it by hand."""
    what = f"POD {pod_id}" if pod_id else f"A POD NAMED {run.spec.run_id}"
    rate = run.state.cost.usd_per_hour
    price = f" at ${rate:.2f} per hour" if rate else ""
    return ReleaseUnconfirmed(
        f"{what} MAY STILL BE BILLING{price} ({reason}): end it at {CONSOLE_URL}",
        hint=f"or let the tool try again: `runpod-deploy resume {run.dir.path}`",
    )
