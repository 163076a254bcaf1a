"""Stopping and deleting pods for sure: ask, look, ask again until the API agrees. Knows the `Cloud`; knows no runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..errors import CloudUnreachable, DeployError, ReleaseUnconfirmed
from ..machine.clock import Clock, wait_until
from ..spec import LifecycleAction
from .protocol import Cloud
from .values import Pod

Action = Literal["stop", "delete"]
EVERY_S = 1.0
WITHIN_S = 60.0
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
    """The pod is gone, or stopped, and the API has confirmed it. Raises ReleaseUnconfirmed, AuthRefused."""
    try:
        until_confirmed(cloud, clock, pod_id, action)
    except NotConfirmed as last:
        raise unconfirmed(pod_id, last.pod, last.reason, action) from None


class NotConfirmed(Exception):
    """The API did not confirm in time; its last answer."""

    def __init__(self, pod: Pod | None, reason: str) -> None:
        super().__init__(reason)
        self.pod = pod
        self.reason = reason


def until_confirmed(cloud: Cloud, clock: Clock, pod_id: str, action: LifecycleAction) -> Pod | None:
    """The pod as the action leaves it, None if it is gone: act, look, act again, until the API agrees.

    Raises NotConfirmed, AuthRefused.
    """
    last = NotConfirmed(None, "the API does not confirm it")

    def look() -> tuple[Pod | None] | None:
        try:
            request(cloud, pod_id, action)
            last.pod = cloud.get(pod_id)
        except CloudUnreachable as error:
            last.reason = error.message
            return None
        return (last.pod,) if is_done(last.pod, action) else None

    try:
        return wait_until(clock, look, every_s=EVERY_S, within_s=WITHIN_S, what=f"release of pod {pod_id}")[0]
    except TimeoutError:
        raise last from None


def request(cloud: Cloud, pod_id: str, action: LifecycleAction) -> None:
    """The API was asked for the action; to preserve a pod nothing has to be asked."""
    if action == "delete":
        cloud.delete(pod_id)
    elif action != "preserve":
        cloud.stop(pod_id)


def is_done(pod: Pod | None, action: LifecycleAction) -> bool:
    """Whether the API's answer shows that the action has taken effect."""
    if pod is None or action == "preserve":
        return True
    return action != "delete" and pod.status in STOPPED_STATUSES


def unconfirmed(pod_id: str, last: Pod | None, reason: str, action: Action) -> ReleaseUnconfirmed:
    """The error that says what may still bill, how much, and where to end it by hand."""
    price = f" at ${last.usd_per_hour:.2f} per hour" if last and last.usd_per_hour else ""
    return ReleaseUnconfirmed(
        f"POD {pod_id} MAY STILL BE BILLING{price}: {reason}",
        hint=f"{action} it at {CONSOLE_URL}, or give the same command again",
    )
