"""What a phase does about a lost connection: try again while the pod lives, and notice soon when it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..cloud.values import Pod
from ..errors import CloudUnreachable, LimitReached, PodKilled, SshLost
from ..machine.clock import wait_until
from ..record.events import GuardReleased, PodKilledUnexpected, PodReachable, Retried
from ..run import Run
from .limits import REASONS, CheckLimit

T = TypeVar("T")

RECONNECT_EVERY_S = 3.0
# After this many attempts an action whose connection breaks every time is given up.
TRIES = 10
GONE_STATES = ("EXITED", "TERMINATED", "ERROR")


def with_reconnects(run: Run, what: str, action: Callable[[], T], check_limit: CheckLimit | None) -> T:
    """The action's result. After each loss of the connection the action is tried again.

    check_limit ends the attempts by raising; None: they go on although the run's limit is over. Raises PodKilled if the
    pod is gone, SshLost if it runs and cannot be reached, LimitReached if the pod's guard ended it, and what the action
    raises.
    """
    for _ in range(TRIES - 1):
        try:
            return action()
        except SshLost as error:
            run.record(Retried(what=what, error=error.message, in_sec=RECONNECT_EVERY_S))
            reconnect(run, check_limit)
    return action()


def reconnect(run: Run, check_limit: CheckLimit | None) -> None:
    """The pod answers again. Raises PodKilled, LimitReached, SshLost, and what check_limit raises."""
    run.leave_host()

    def look() -> bool | None:
        if check_limit:
            check_limit()
        still_running(run)
        return True if run.state.pod.address and run.try_host(run.state.pod.address) is None else None

    within_s = run.spec.job.budget.ssh_lost_timeout_sec
    try:
        wait_until(run.world.clock, look, every_s=RECONNECT_EVERY_S, within_s=within_s, what="the pod over SSH")
    except TimeoutError:
        raise SshLost(
            f"pod {run.state.pod.id} has not answered over SSH for {within_s} s, but the API says that it runs",
            hint=f"it bills until its guard ends it at the limit; try again with `runpod-deploy resume {run.dir.path}`",
        ) from None


def still_running(run: Run) -> None:
    """The pod is not known to be gone, and its recorded address is up to date. Raises PodKilled, LimitReached."""
    assert run.state.pod.id
    try:
        pod = run.world.cloud.get(run.state.pod.id) or second_look(run)
    except CloudUnreachable:
        return  # the API's silence says nothing about the pod
    if pod is None or pod.status in GONE_STATES:
        raise ended_by_guard(run, pod) if guard_was_due(run) else killed(run, pod)
    if pod.address is not None and pod.address != run.state.pod.address:
        run.leave_host()
        run.record(PodReachable(host=pod.address.host, port=pod.address.port))


def second_look(run: Run) -> Pod | None:
    """The pod as it is a moment later, or None. The API has answered a single 404 for pods that exist."""
    run.world.clock.sleep(2.0)
    return run.world.cloud.get(run.state.pod.id or "")


def guard_was_due(run: Run) -> bool:
    """Whether the guard's deadline has passed, so that the guard must have ended the pod."""
    deadline = run.state.pod.guard_deadline_at
    return deadline is not None and run.world.clock.now() >= deadline


def ended_by_guard(run: Run, pod: Pod | None) -> LimitReached:
    """The error for a pod that its guard ended while nobody was there, once the event is recorded."""
    run.record(GuardReleased(state=pod.status if pod else None))
    kept = f"; its results are on the disk of pod {run.state.pod.id}, which is paused and bills its disk" if pod else ""
    pull = f"`runpod-deploy pull --start {run.dir.path}` fetches them"
    return LimitReached(
        f"{REASONS[run.state.cost.stop_why]}, and no process was here to act: the pod's guard ended it{kept}",
        hint=pull if pod else "the pod is gone with its disk; another time, `runpod-deploy resume` before the limit",
        kind=run.state.cost.stop_why,
    )


def killed(run: Run, pod: Pod | None) -> PodKilled:
    """The error for a pod that somebody else ended, once the event is recorded."""
    state = pod.status if pod else None
    words = f"is {state}" if state else "no longer exists"
    run.record(
        PodKilledUnexpected(
            state=state,
            note=f"the pod {words}, and this run did not end it",
            pod_id=run.state.pod.id or "",
            gpu_id=run.state.pod.gpu_id,
            datacenter_id=run.state.pod.datacenter_id,
        )
    )
    return PodKilled(
        f"pod {run.state.pod.id} {words}: somebody else, or RunPod, ended it",
        hint="run again; with artifacts[].every_sec in the config, results are also pulled during the run",
    )
