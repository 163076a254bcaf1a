"""From a pod that bills to a pod as the lifecycle policy asks, confirmed by the API."""

from __future__ import annotations

from contextlib import suppress

from ..cloud.removal import CONSOLE_URL, NotConfirmed, until_confirmed
from ..cloud.values import Pod
from ..errors import CloudUnreachable, DeployError, ReleaseUnconfirmed
from ..machine.clock import wait_until
from ..record.events import PodReleased, ReleaseStarted
from ..run import Run
from ..spec import LifecycleAction

RELEASE_EVERY_S = 1.0
# The API may need this long until it knows a new pod.
UNSEEN_FOR_S = 60.0
# A pod from a create call without an answer may show up this late.
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
    pod = confirm_released(run, run.state.pod.id, action) if run.state.pod.id else None
    run.record(PodReleased(action=action, state=pod.status if pod else None))


def policy(run: Run) -> LifecycleAction:
    """The action for the pod, read from the outcome and never from a flag. A reopened pod is paused again."""
    if run.state.end.reopened:
        return "stop"
    lifecycle = run.spec.job.lifecycle
    return lifecycle.on_success if run.state.result == "succeeded" else lifecycle.on_failure


def disarm(run: Run, action: LifecycleAction) -> None:
    """The guard will not end a pod that is meant to stay, if the pod answers.

    Until a stop is confirmed the guard stays armed: if our process died here, only the guard would end the pod.
    """
    if run.state.pod.guard_deadline_at and run.state.pod_answers:
        try:
            run.host.disarm(from_next_start=action != "preserve")
        except (DeployError, TimeoutError):
            return


def find_late(run: Run) -> list[str]:
    """Ids of the pods that came from a create call without an answer: look, wait, look."""

    def look() -> list[str] | None:
        return [pod.id for pod in run.world.cloud.find(run.spec.run_id)] or None

    try:
        return wait_until(run.world.clock, look, every_s=RELEASE_EVERY_S, within_s=LATE_WITHIN_S, what="late pods")
    except TimeoutError:
        return []
    except DeployError as error:
        raise unconfirmed(run, None, error.message) from error


def find_second(run: Run) -> list[str]:
    """Ids of all pods of the run, if a create call without an answer was repeated: the first may have worked, too."""
    if not run.state.request.repeated:
        return []
    try:
        return [pod.id for pod in run.world.cloud.find(run.spec.run_id)]
    except DeployError as error:
        raise unconfirmed(run, None, error.message) from error


def confirm_deleted(run: Run, pod_id: str) -> None:
    """The pod does not exist any more, and the API has confirmed it. Raises ReleaseUnconfirmed."""
    confirm_released(run, pod_id, "delete")


def confirm_released(run: Run, pod_id: str, action: LifecycleAction) -> Pod | None:
    """The pod as the action leaves it, confirmed by the API; None if it is gone. Raises ReleaseUnconfirmed."""
    await_seen(run, pod_id)
    try:
        return until_confirmed(run.world.cloud, run.world.clock, pod_id, action)
    except NotConfirmed as last:
        raise unconfirmed(run, pod_id, last.reason) from None
    except DeployError as error:  # for example a key that is refused now
        raise unconfirmed(run, pod_id, error.message) from error


def await_seen(run: Run, pod_id: str) -> None:
    """The API knows the pod, or has had time to. A pod that it does not know yet it cannot end, and reports as gone."""
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
    """The error that says what may still bill, how much, and where to end it by hand."""
    what = f"POD {pod_id}" if pod_id else f"A POD NAMED {run.spec.run_id}"
    rate = run.state.cost.usd_per_hour
    price = f" at ${rate:.2f} per hour" if rate else ""
    return ReleaseUnconfirmed(
        f"{what} MAY STILL BE BILLING{price} ({reason}): end it at {CONSOLE_URL}",
        hint=f"or try again with `runpod-deploy resume {run.dir.path}`",
    )
