"""What a phase does about a lost connection: try again while the pod lives, and notice soon when it does not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from ..cloud.removal import is_gone
from ..cloud.values import Pod
from ..errors import BalanceSpent, DeployError, LimitReached, PodKilled, SshLost
from ..machine.clock import wait_until
from ..machine.limited import limited_by
from ..money import cents
from ..record.events import GuardReleased, PodKilledUnexpected, PodReachable, Retried
from ..run import Run
from ..spec.instants import shifted
from .host_log import keep_host_log
from .lease import still_held
from .limits import REASONS, CheckLimit, never

T = TypeVar("T")

RECONNECT_EVERY_S = 3.0
# After this many attempts an action whose connection breaks every time is given up.
TRIES = 10
GONE_STATES = ("EXITED", "TERMINATED", "ERROR")
# An account that cannot pay this pod for that long counts as empty: RunPod ends pods shortly before the last cent.
LAST_SECONDS = 60.0
# The API counts whole seconds, and its clock is not ours.
CLOCKS_DIFFER = timedelta(seconds=5)
NOT_BY_US = "this run did not end it"
FUNDS_HINT = "add funds at https://console.runpod.io/user/billing, and then run again"


def with_reconnects(run: Run, what: str, action: Callable[[], T], check_limit: CheckLimit) -> T:
    """The action's result. After each loss of the connection the action is tried again.

    check_limit ends the action by raising, whatever it waits for; `never`: it goes on past the run's limit.
    Raises PodKilled if the pod is gone, SshLost if it runs and cannot be reached, LimitReached if the pod's guard ended
    it, and what the action raises.
    """
    with limited_by(check_limit):
        for _ in range(TRIES - 1):
            try:
                return action()
            except SshLost as error:
                run.record(Retried(what=what, error=error.message, in_sec=RECONNECT_EVERY_S))
                reconnect(run, check_limit)
        return action()


def reconnect(
    run: Run, check_limit: CheckLimit, every_s: float = RECONNECT_EVERY_S, while_it_runs: CheckLimit = never
) -> None:
    """The pod answers again, within the time of `ssh_lost_timeout_sec`. It is tried every so many seconds.

    while_it_runs ends the trying by raising, each time that the API says that the pod runs.

    Raises PodKilled, BalanceSpent, LimitReached, SshLost, Detach if another machine has taken the run meanwhile, and
    what check_limit raises.
    """
    run.leave_host()
    look_at_api = ApiLook(run, while_it_runs)

    def look() -> bool | None:
        check_limit()
        # SSH first: a pod that answers exists, whatever the API says.
        return True if look_at_api.answers() or (look_at_api.moved() and look_at_api.answers()) else None

    within_s = run.spec.job.budget.ssh_lost_timeout_sec
    try:
        wait_until(run.world.clock, look, every_s=every_s, within_s=within_s, what="the pod over SSH")
    except TimeoutError:
        raise look_at_api.lost(within_s) from None
    with suppress(SshLost, TimeoutError):  # while this machine could not reach it, another one may have taken the run
        still_held(run)


class ApiLook:
    """What the API says about a pod that does not answer over SSH."""

    def __init__(self, run: Run, while_it_runs: CheckLimit = never) -> None:
        self.run, self.while_it_runs = run, while_it_runs
        self.said = "the API was not asked"
        self.runs = False
        """Whether the API has said last that the pod runs."""
        self.other_key: SshLost | None = None
        """The error if another host key than the pinned one answered last."""

    def answers(self) -> bool:
        """Whether the pod answers at its recorded address; the run's host is then connected."""
        address = self.run.state.pod.address
        error = self.run.try_host(address) if address is not None else None
        self.other_key = error if error is not None and error.reason == "host_key" else None
        return address is not None and error is None

    def moved(self) -> bool:
        """Whether the pod has a new address, which is recorded.

        Raises PodKilled, BalanceSpent or LimitReached if the pod is gone. Whatever the API refuses says nothing about
        the pod: a gateway may stand in the way, or the key is just being changed.
        """
        cloud, pod_id = self.run.world.cloud, self.run.state.pod.id or ""
        try:
            pod = cloud.get(pod_id)
            gone = pod is None and is_gone(cloud, self.run.world.clock, pod_id)
        except DeployError as error:
            self.note(error)
            return False
        if gone or (pod is not None and pod.status in GONE_STATES):
            raise ended_by_guard(self.run, pod) if guard_was_due(self.run) else killed(self.run, status_of(pod))
        if self.other_key is not None and pod is not None and was_restarted(self.run, pod):
            raise killed(self.run, pod.status)
        if pod is not None:
            self.while_it_runs()
        self.runs = pod is not None
        self.said = "the API contradicts itself about it" if pod is None else "the API says that it runs"
        return pod is not None and self.has_moved(pod)

    def has_moved(self, pod: Pod) -> bool:
        """Whether the pod has an address that was not tried: a new one, which is recorded, or one told only now."""
        if pod.address is None:
            return False
        untold = pod.address not in self.run.told
        self.run.told.add(pod.address)
        if pod.address == self.run.state.pod.address:
            return self.run.prove and untold
        self.run.leave_host()
        self.run.record(PodReachable(host=pod.address.host, port=pod.address.port))
        return True

    def lost(self, within_s: float) -> SshLost:
        """The error for a pod that was waited for in vain."""
        resume = f"try again with `runpod-deploy resume {self.run.dir.path}`"
        error = self.other_key or SshLost(
            f"pod {self.run.state.pod.id} has not answered over SSH for {within_s:.0f} s, but {self.said}",
            hint=f"it bills until its guard ends it at the limit; {resume}",
        )
        error.runs = self.runs
        return error

    def note(self, error: DeployError) -> None:
        """The journal has the API's refusal, once."""
        self.runs = False
        said = f"the API does not say anything about it: {error.message}"
        if said != self.said:
            self.said = said
            self.run.record(Retried(what="asking the API about the pod", error=error.message, in_sec=RECONNECT_EVERY_S))


def guard_was_due(run: Run) -> bool:
    """Whether the guard's deadline has passed, so that the guard must have ended the pod."""
    deadline = run.state.pod.guard_deadline_at
    return deadline is not None and run.world.clock.now() >= deadline


def ended_by_guard(run: Run, pod: Pod | None) -> LimitReached:
    """The error for a pod that its guard ended while nobody was there, once the event is recorded."""
    run.record(GuardReleased(state=pod.status if pod else None))
    why = run.state.cost.stop_why
    kept = f"; its results are on the disk of pod {run.state.pod.id}, which is paused and bills its disk" if pod else ""
    pull = f"`runpod-deploy pull --start {run.dir.path}` fetches them"
    return LimitReached(
        f"{REASONS.get(why, why)}, and no process was here to act: the pod's guard ended it{kept}",
        hint=pull if pod else "the pod is gone with its disk; another time, `runpod-deploy resume` before the limit",
        kind=why,
    )


def was_restarted(run: Run, pod: Pod) -> bool:
    """Whether the pod's container is younger than our first contact: then its job is gone, and its host key is new."""
    reached_at, now = run.state.pod.reached_at, run.world.clock.now()
    began_at = shifted(now, -pod.uptime_s) if pod.uptime_s is not None else pod.started_at
    return reached_at is not None and began_at is not None and began_at > reached_at + CLOCKS_DIFFER


def status_of(pod: Pod | None) -> str | None:
    """The pod's status; None if there is no such pod."""
    return pod.status if pod else None


def killed(run: Run, state: str | None) -> PodKilled | BalanceSpent:
    """The error for a pod that somebody else ended, once the event is recorded and the host's log is kept."""
    words = f"is {state}" if state else "no longer exists"
    credit_usd = None if state == "RUNNING" else run.world.cloud.credit_usd()
    spent = credit_usd is not None and credit_usd <= (run.state.cost.usd_per_hour or 0.0) * LAST_SECONDS / 3600
    left = cents(credit_usd or 0.0)
    why = f"the account has ${left} left, and RunPod ends pods without credit" if spent else NOT_BY_US
    run.record(
        PodKilledUnexpected(
            state=state,
            note=f"the pod {words}, and {why}",
            pod_id=run.state.pod.id or "",
            gpu_id=run.state.pod.gpu_id,
            datacenter_id=run.state.pod.datacenter_id,
        )
    )
    keep_host_log(run, run.state.pod.id or "")
    if spent:
        return BalanceSpent(f"pod {run.state.pod.id} {words}: {why}", hint=FUNDS_HINT)
    return PodKilled(
        f"pod {run.state.pod.id} {words}: somebody else, or RunPod, ended it",
        hint="run again; with artifacts[].every_sec in the config, results are also pulled during the run",
    )
