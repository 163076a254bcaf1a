"""Ending pods for sure: ask, look, ask again until the API agrees. Knows the `Cloud`; knows no runs and no flags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ..errors import CloudUnreachable, DeployError, ReleaseUnconfirmed
from ..machine.clock import Clock, wait_until
from .protocol import Cloud
from .values import Pod

Action = Literal["stop", "delete"]
EVERY_S = 1.0
WITHIN_S = 60.0
CONSOLE_URL = "https://console.runpod.io/pods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of one pod."""

    pod_id: str
    error: str = ""
    """Empty if the API has confirmed it."""


def end_all(cloud: Cloud, clock: Clock, pod_ids: Iterable[str], action: Action) -> Iterable[Ended]:
    """What became of each, as it becomes so: the failure of one keeps none of the others alive."""
    for pod_id in pod_ids:
        try:
            end(cloud, clock, pod_id, action)
        except DeployError as error:
            yield Ended(pod_id=pod_id, error=error.message)
        else:
            yield Ended(pod_id=pod_id)


def end(cloud: Cloud, clock: Clock, pod_id: str, action: Action) -> None:
    """The pod is gone, or stopped, and the API has said so. Raises ReleaseUnconfirmed, AuthRefused."""
    act, reached = (cloud.delete, is_gone) if action == "delete" else (cloud.stop, is_stopped)
    try:
        until_confirmed(cloud, clock, pod_id, act, reached)
    except NotConfirmed as last:
        raise unconfirmed(pod_id, last.pod, last.words, action) from None


class NotConfirmed(Exception):
    """The API did not confirm in time; what it said last."""

    def __init__(self, pod: Pod | None, words: str) -> None:
        super().__init__(words)
        self.pod = pod
        self.words = words


def until_confirmed(
    cloud: Cloud, clock: Clock, pod_id: str, act: Callable[[str], None] | None, reached: Callable[[Pod | None], bool]
) -> Pod | None:
    """The pod as wanted: act, look, act again, until the API agrees. Raises NotConfirmed, AuthRefused."""
    last = NotConfirmed(None, "the API does not confirm it")

    def look() -> tuple[Pod | None] | None:
        try:
            if act is not None:
                act(pod_id)
            last.pod = cloud.get(pod_id)
        except CloudUnreachable as error:
            last.words = error.message
            return None
        return (last.pod,) if reached(last.pod) else None

    try:
        return wait_until(clock, look, every_s=EVERY_S, within_s=WITHIN_S, what=f"release of pod {pod_id}")[0]
    except TimeoutError:
        raise last from None


def is_gone(pod: Pod | None) -> bool:
    """Whether nothing of it is left."""
    return pod is None


def is_stopped(pod: Pod | None) -> bool:
    """Whether its GPU no longer bills."""
    return pod is None or pod.status in ("EXITED", "TERMINATED")


def unconfirmed(pod_id: str, last: Pod | None, words: str, action: Action) -> ReleaseUnconfirmed:
    """What may still bill, how much, and where to end it by hand."""
    price = f" at ${last.usd_per_hour:.2f} per hour" if last and last.usd_per_hour else ""
    return ReleaseUnconfirmed(
        f"POD {pod_id} MAY STILL BE BILLING{price}: {words}",
        hint=f"{action} it at {CONSOLE_URL}, or try again",
    )
