"""Stopping and deleting pods for sure: ask, look, ask again until the API agrees. Knows the `Cloud`; knows no runs.

One 404 is not absence: it was seen for pods that lived (2026), for example from a replica that lags or under another
account's key. A pod is gone if the API accepted our delete and a look agrees; or if two looks, LOOKS_APART_S apart, and
the account's listing agree at both times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError, DeployError, ReleaseUnconfirmed
from ..machine.clock import Clock, wait_until
from ..money import cents
from ..spec import LifecycleAction
from .protocol import Cloud
from .values import Pod

Action = Literal["stop", "delete"]
EVERY_S = 1.0
WITHIN_S = 60.0
LOOKS_APART_S = 15.0
"""The time between two looks that must agree that a pod is gone: longer than a lagging answer was seen to be wrong."""
CONSOLE_URL = "https://console.runpod.io/pods"
STOPPED_STATUSES = ("EXITED", "TERMINATED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The result of ending one pod."""

    pod_id: str
    error: str = ""
    """Empty if the API has confirmed it."""


def end_all(cloud: Cloud, clock: Clock, pod_ids: Iterable[str], action: Action) -> Iterable[Ended]:
    """The result for each pod, as soon as it is known. A failure does not keep the other pods from being ended."""
    for pod_id in pod_ids:
        try:
            end(cloud, clock, pod_id, action)
        except DeployError as error:
            yield Ended(pod_id=pod_id, error=error.message)
        else:
            yield Ended(pod_id=pod_id)


def end(cloud: Cloud, clock: Clock, pod_id: str, action: Action) -> None:
    """The pod is gone, or stopped, and the API has confirmed it. Raises ReleaseUnconfirmed."""
    try:
        until_confirmed(cloud, clock, pod_id, action)
    except NotConfirmed as last:
        raise unconfirmed(pod_id, last.pod, last.reason, action) from None


class NotConfirmed(Exception):
    """The API did not confirm in time; the pod as it was seen last, and the last reason."""

    def __init__(self, pod: Pod | None, reason: str) -> None:
        super().__init__(reason)
        self.pod = pod
        self.reason = reason


def never() -> bool:
    """Nothing but the API says whether the pod exists."""
    return False


class Absence:
    """The evidence that a pod is gone although the API accepted no delete of ours."""

    def __init__(self, cloud: Cloud, clock: Clock, pod_id: str, answers: Callable[[], bool] = never) -> None:
        """`answers` is whether the pod itself answers, which refutes everything that the API says."""
        self._cloud = cloud
        self._clock = clock
        self._pod_id = pod_id
        self._answers = answers
        self._since: float | None = None
        self._alone = True

    def refute(self) -> None:
        """The pod was seen: earlier looks that did not find it count no more."""
        self._since = None

    def is_proven(self) -> bool:
        """Whether this look, which did not find the pod, an earlier one and the listings between them agree.

        A listing that is empty all of a sudden agrees with nothing: it must be empty both times. Raises
        CloudUnreachable.
        """
        others = self._cloud.list_pods()
        if any(pod.id == self._pod_id for pod in others) or self._answers():
            self.refute()
            return False
        now, alone = self._clock.monotonic(), not others
        if self._since is None or (alone and not self._alone):
            self._since, self._alone = now, alone
        return now - self._since >= LOOKS_APART_S


def is_gone(cloud: Cloud, clock: Clock, pod_id: str) -> bool:
    """Whether two looks some time apart and the listings agree that there is no such pod. Raises CloudUnreachable."""
    absence = Absence(cloud, clock, pod_id)

    def look() -> bool | None:
        if cloud.get(pod_id) is not None:
            return False
        return True if absence.is_proven() else None

    try:
        return wait_until(clock, look, every_s=LOOKS_APART_S, within_s=WITHIN_S, what=f"the absence of pod {pod_id}")
    except TimeoutError:
        return False


def until_confirmed(
    cloud: Cloud, clock: Clock, pod_id: str, action: LifecycleAction, answers: Callable[[], bool] = never
) -> Pod | None:
    """The pod as the action leaves it, None if it is gone: act, look, act again, until the API agrees.

    Refusals are tried again, too: a gateway may refuse a good key for a moment, and a pod that changes its status
    refuses a stop. `answers` is whether the pod itself answers. Raises NotConfirmed.
    """
    last = NotConfirmed(None, "the API does not confirm it")
    absence = Absence(cloud, clock, pod_id, answers)
    accepted = False

    def look() -> tuple[Pod | None] | None:
        nonlocal accepted
        try:
            refusal, was_accepted = requested(cloud, pod_id, action)
            accepted = accepted or was_accepted
            pod = cloud.get(pod_id)
            if pod is not None:
                absence.refute()
                last.pod, last.reason = pod, why_not(pod, action, refusal)
                if refusal and is_for_good(pod, action):
                    raise last
                return (pod,) if is_done(pod, action) else None
            if (accepted and action == "delete") or absence.is_proven():
                return (None,)
            last.reason = "the API says that there is no such pod, but not often enough to be believed"
            clock.sleep(LOOKS_APART_S - EVERY_S)
        except DeployError as error:
            last.reason = error.message
        return None

    try:
        with cloud.bounded(WITHIN_S):
            return wait_until(clock, look, every_s=EVERY_S, within_s=WITHIN_S, what=f"release of pod {pod_id}")[0]
    except TimeoutError:
        raise last from None


def requested(cloud: Cloud, pod_id: str, action: LifecycleAction) -> tuple[str, bool]:
    """The API's refusal of this action on this pod, if it refused, and whether it accepted.

    To preserve a pod nothing has to be asked. Raises what says nothing about the pod: CloudUnreachable, AuthRefused.
    """
    try:
        if action == "delete":
            return "", cloud.delete(pod_id)
        return "", action != "preserve" and cloud.stop(pod_id)
    except ConfigError as error:
        return error.message, False


def is_done(pod: Pod, action: LifecycleAction) -> bool:
    """Whether the API's answer shows that the action has taken effect."""
    if action == "preserve":
        return True
    return action != "delete" and pod.status in STOPPED_STATUSES


def is_for_good(pod: Pod, action: LifecycleAction) -> bool:
    """Whether the API will refuse the action until a person does something."""
    return action == "stop" and (pod.locked or pod.status == "ERROR")


def why_not(pod: Pod, action: LifecycleAction, refusal: str) -> str:
    """Why the pod that was just seen is not as the action asks."""
    if pod.locked or "locked" in refusal.lower():
        return f"it is locked, and RunPod does not {action} a locked pod: unlock it in the console first; {refusal}"
    if pod.status == "ERROR" and action == "stop":
        return f"its status is ERROR, in which RunPod allows no stop, only start and delete; {refusal}"
    return refusal or f"the API has accepted to {action} it, but its status is still {pod.status}"


def unconfirmed(pod_id: str, last: Pod | None, reason: str, action: Action) -> ReleaseUnconfirmed:
    """The error that says what may still bill, how much, and where to end it by hand."""
    price = f" at ${cents(last.usd_per_hour)} per hour" if last and last.usd_per_hour else ""
    return ReleaseUnconfirmed(
        f"POD {pod_id} MAY STILL BE BILLING{price}: {reason}",
        hint=f"{action} it at {CONSOLE_URL}, or give the same command again",
    )
