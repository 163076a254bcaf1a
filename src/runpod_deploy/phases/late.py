"""Pods that a create call without a clear answer may still make: how long to look for them, and their end.

Knows the clock and the listing; knows nothing of why a pod is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime

from ..cloud.rates import expected_forecast
from ..cloud.removal import CONSOLE_URL, LOOKS_APART_S, NotConfirmed, until_confirmed
from ..cloud.values import Pod
from ..errors import DeployError, ReleaseUnconfirmed
from ..machine.clock import wait_until
from ..money import cents, guard_deadline
from ..pod import guard
from ..record.events import CreateUnclear, LatePodFound, PodDiscarded
from ..run import Run
from .candidates import priced

CREATE_TAKES_S = 90.0
"""The longest that the other side may need to make a pod after it lost the answer to the create call. RunPod answers
within a few seconds, and once needed 25 s (2026); gateways in front of it give up after 60 to 100 s."""
UNSEEN_FOR_S = 60.0
"""The API may need this long until it knows a new pod; up to 16 s were seen (2026)."""
LOOK_EVERY_S = 5.0


def look_for(run: Run, within_s: float, ended: Collection[str] = ()) -> list[Pod]:
    """The pods of this run that it does not know yet, newest first, as soon as there is one within this time.

    The time counts from the end of the unclear create call. One listing may lie: however late it is, looks some time
    apart must agree that there is no pod. Raises what the last failed look raised if they do not.
    """
    agreed_s = min(within_s, LOOKS_APART_S)
    left_s = max(seconds_left(run, within_s), agreed_s)
    if left_s > LOOK_EVERY_S:
        run.show("tool", f"looking for {left_s:.0f} s whether that create call has made a pod\n".encode())
    find = lambda: [pod for pod in late_pods(run) if pod.id not in ended]  # noqa: E731
    return Looks(run, find, left_s, agreed_s).until_over("a late pod")


class Looks:
    """Looks for pods, one after the other, and whether those that found none agree."""

    def __init__(self, run: Run, find: Callable[[], list[Pod]], within_s: float, agreed_s: float) -> None:
        self.clock, self.find = run.world.clock, find
        self.within_s, self.agreed_s = within_s, agreed_s
        self.until_s = self.clock.monotonic() + within_s
        self.none_since_s: float | None = None
        """Since when every look was answered, and found no pod."""
        self.failed: DeployError | None = None

    def until_over(self, what: str) -> list[Pod]:
        """The pods, as soon as there is one; none once the time is over and the looks agree. Raises as they did."""
        for within_s in (self.within_s, 2 * self.agreed_s):  # looks that failed are made up for
            with suppress(TimeoutError):
                return wait_until(self.clock, self.look, every_s=LOOK_EVERY_S, within_s=within_s, what=what)
        assert self.failed is not None  # looks that never fail agree in time
        raise self.failed

    def look(self) -> list[Pod] | None:
        """The pods that were found; none once the time is over and the looks agree; None if another look is needed."""
        now_s = self.clock.monotonic()
        try:
            found = self.find()
        except DeployError as error:
            self.failed, self.none_since_s = error, None
            return None
        if self.none_since_s is None:
            self.none_since_s = now_s
        over = now_s >= self.until_s and now_s - self.none_since_s >= self.agreed_s
        return found if found or over else None


def late_pods(run: Run) -> list[Pod]:
    """The pods that an unclear create call has made.

    Once the pod of a job is lost, a younger pod is none of them: RunPod may have moved the job's pod with its results.
    """
    pods = unknown_pods(run, run.state.request.token)
    lost = run.state.pod.lost and run.state.job.pid is not None
    return older_than_contact(run, pods) if lost else pods


def older_than_contact(run: Run, pods: list[Pod]) -> list[Pod]:
    """Those of the pods that were made before the run's own pod answered, so that none of them is that pod, moved."""
    reached_at = run.state.pod.reached_at
    return [pod for pod in pods if pod.created_at and reached_at and pod.created_at <= reached_at]


def end_listed(run: Run) -> bool:
    """Whether a listing came; the late pods in it are gone, or the release of the run tries again."""
    try:
        pods = older_than_contact(run, late_pods(run))
    except DeployError:
        return False
    for pod in pods:
        with suppress(ReleaseUnconfirmed):
            end_pod(run, pod)
    return True


def all_listed_in_s(run: Run) -> float:
    """Seconds until every pod that the unclear create call can have made must be listed."""
    return seconds_left(run, CREATE_TAKES_S + UNSEEN_FOR_S)


def unknown_pods(run: Run, token: str) -> list[Pod]:
    """The pods that bear this token and that the run neither uses nor has given up."""
    state = run.state
    known = {state.pod.id, *state.pod.abandoned}
    pods = run.world.cloud.find(run.spec.run_id, token)
    return [pod for pod in pods if pod.id not in known and pod.status != "TERMINATED"]


def seconds_left(run: Run, within_s: float) -> float:
    """The part of this time, counted from the end of the unclear create call, that is left."""
    return min(within_s, max(0.0, within_s - seconds_gone(run)))


def seconds_gone(run: Run) -> float:
    """Seconds since the end of the unclear create call, by a clock that nobody sets if this process made the call."""
    at_s, at = run.recorded_at.get(CreateUnclear), run.state.request.unclear_at
    if at_s is not None:
        return run.world.clock.monotonic() - at_s
    return (run.world.clock.now() - at).total_seconds() if at else 0.0


def end_all(run: Run) -> None:
    """No pod of an unclear create call is left, and none can come any more. Raises ReleaseUnconfirmed."""
    ended: set[str] = set()
    while (request := run.state.request).pending or request.repeated:
        try:
            pods = look_for(run, CREATE_TAKES_S + UNSEEN_FOR_S, ended)
        except DeployError as error:
            raise may_still_appear(run, error.message) from error
        for pod in pods:
            end_pod(run, pod)
            ended.add(pod.id)
        if not pods or not request.repeated:
            return


def end_pod(run: Run, pod: Pod) -> None:
    """The late pod is gone, and the API has confirmed it. Raises ReleaseUnconfirmed."""
    run.record(LatePodFound(pod_id=pod.id, usd_per_hour=pod.usd_per_hour, created_at=pod.created_at))
    try:
        until_confirmed(run.world.cloud, run.world.clock, pod.id, "delete")
    except NotConfirmed as last:
        price = f" at ${cents(pod.usd_per_hour)} per hour" if pod.usd_per_hour else ""
        raise ReleaseUnconfirmed(
            f"POD {pod.id} MAY STILL BE BILLING{price} ({last.reason}): end it at {CONSOLE_URL}",
            hint=f"or try again with `runpod-deploy resume {run.dir.path}`",
        ) from None
    run.record(PodDiscarded(pod_id=pod.id))


def may_still_appear(run: Run, reason: str) -> ReleaseUnconfirmed:
    """The error that says that a pod may come later, what it would cost, what would end it, and how to look again."""
    return ReleaseUnconfirmed(
        f"A POD NAMED {run.spec.run_id} MAY STILL APPEAR AND BILL{expectation(run)} ({reason}): look for it at "
        f"{CONSOLE_URL}",
        hint=f"`runpod-deploy resume {run.dir.path}` looks for it again and deletes it",
    )


def expectation(run: Run) -> str:
    """The price of a late pod and the time at which its guard ends it, as far as they are known."""
    request, pod = run.state.request, run.spec.job.pod
    candidate, asked_at = request.pending or request.placed, request.asked_at
    if candidate is None or asked_at is None:
        return ""
    ahead = expected_forecast(run.spec.job, priced(run, candidate) or candidate)
    ends: datetime = guard_deadline(ahead.stop_at(asked_at).at, run.spec.job.budget)
    guarded = guard.start_command(pod.image, pod.start_command)
    until = f" until its guard ends it at {ends:%b %d %H:%M} UTC" if guarded else "; nothing on it would end it"
    return f" at ${cents(ahead.usd_per_hour)} per hour{until}"
