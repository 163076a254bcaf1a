"""How a phase bears a bad connection: try again while the pod lives, and know soon when it does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ..cloud.values import Pod
from ..errors import CloudUnreachable, LimitReached, PodKilled, SshLost
from ..machine.clock import wait_until
from ..record.events import GuardReleased, PodKilledUnexpected, PodReachable, Retried
from ..run import Run
from .limits import WORDS as LIMIT_WORDS
from .limits import enforce

T = TypeVar("T")

RECONNECT_EVERY_S = 3.0
# A connection that breaks again and again is not a connection.
TRIES = 10
GONE_STATES = ("EXITED", "TERMINATED", "ERROR")


def with_reconnects(run: Run, what: str, action: Callable[[], T], hold: Callable[[], None] | None = None) -> T:
    """The action's result, tried again after each loss of the connection, for as long as `hold` does not raise.

    Without a hold of its own it ends with the run's limit. Raises PodKilled if the pod is gone, SshLost if it runs and
    cannot be reached, LimitReached (its guard's doing, or our own), and what the action raises.
    """
    for _ in range(TRIES - 1):
        try:
            return action()
        except SshLost as error:
            run.record(Retried(what=what, error=error.message, in_sec=RECONNECT_EVERY_S))
            reconnect(run, hold or partial(enforce, run))
    return action()


def reconnect(run: Run, hold: Callable[[], None]) -> None:
    """The pod answers again. Raises PodKilled, LimitReached, SshLost, and what `hold` raises."""
    run.leave_host()

    def look() -> bool | None:
        hold()
        still_running(run)
        return True if run.state.pod.address and run.try_host(run.state.pod.address) is None else None

    within_s = run.spec.job.budget.ssh_lost_timeout_sec
    try:
        wait_until(run.world.clock, look, every_s=RECONNECT_EVERY_S, within_s=within_s, what="the pod over SSH")
    except TimeoutError:
        raise SshLost(
            f"pod {run.state.pod.id} runs, says the API, and has not answered over SSH for {within_s} s",
            hint=f"its guard holds it; go on later with `runpod-deploy resume {run.dir.path}`",
        ) from None


def still_running(run: Run) -> None:
    """The API does not say that the pod is gone; its address is up to date. Raises PodKilled or LimitReached."""
    assert run.state.pod.id
    try:
        pod = run.world.cloud.get(run.state.pod.id) or second_look(run)
    except CloudUnreachable:
        return  # no news is no news
    if pod is None or pod.status in GONE_STATES:
        raise ended_by_guard(run, pod) if guard_was_due(run) else killed(run, pod)
    if pod.address is not None and pod.address != run.state.pod.address:
        run.leave_host()
        run.record(PodReachable(host=pod.address.host, port=pod.address.port))


def second_look(run: Run) -> Pod | None:
    """The pod after a moment, or None: a single 404 has been seen for pods that exist."""
    run.world.clock.sleep(2.0)
    return run.world.cloud.get(run.state.pod.id or "")


def guard_was_due(run: Run) -> bool:
    """Whether the pod's guard must have ended it by now."""
    deadline = run.state.pod.guard_deadline_at
    return deadline is not None and run.world.clock.now() >= deadline


def ended_by_guard(run: Run, pod: Pod | None) -> LimitReached:
    """The error for a pod that its guard ended while nobody was there, once the event is recorded."""
    run.record(GuardReleased(state=pod.status if pod else None))
    kept = f"; what it left is on the disk of pod {run.state.pod.id}, which is paused" if pod else ""
    return LimitReached(
        f"{LIMIT_WORDS[run.state.cost.stop_why]} and nobody was there: the pod's guard ended it{kept}",
        hint=f"`runpod-deploy pull --start {run.dir.path}` brings that home" if pod else "resume sooner",
        kind=run.state.cost.stop_why,
    )


def killed(run: Run, pod: Pod | None) -> PodKilled:
    """The error for a pod that others ended, once the event is recorded."""
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
        f"pod {run.state.pod.id} {words}: it was ended from outside",
        hint="run again; pulling artifacts during the run (artifacts[].every_sec) saves what can be saved",
    )
