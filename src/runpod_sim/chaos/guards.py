"""The time after a driver is gone: the guards end the pods, and an audit those that have none. Judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ..clock import now
from ..records.pods import UP, Pod
from .cases import Case, Disturbance
from .driver import Driver
from .outcome import Before, Outcome
from .project import PULL_GRACE_S

GRACE_S = 10 + 2 * PULL_GRACE_S
"""Time for driver and guard after the limit: 10 s to end the job, then the pull, and as long again to release."""
SLACK_S = 30
"""The guard looks each second, waits 5 and 10 s after deletions that were ignored, and the machine may be busy."""
SHORT_S = 15.0
"""The time that the cap of a run pays for if its guard has to end it."""
BOOT_WITHIN_S = 20
AUDIT_GRACE_S = 125
"""Time after the guard's deadline in which an audit keeps a pod: its driver may be on another machine."""


async def wait_for_guards(driver: Driver, outcome: Outcome, pods: Callable[[], Sequence[Pod]], since: Before) -> None:
    """Every guard has had its time; pods that still run then have been given to an audit."""
    late = since.at + late_create_s(outcome.case)
    while now() < late or any(pod.status in UP and now() < ends_by(pod, driver, since) for pod in pods()):
        await asyncio.sleep(0.2)
    still = [pod for pod in pods() if pod.status in UP]
    outcome.left_after_grace = [pod.id for pod in still if guarded(pod, driver, since)]
    if still:
        outcome.reaped = not outcome.left_after_grace
        await driver.call(undisturbed, "audit", "--reap", "--yes")
    # What an audit names but does not delete by itself, its reader can delete.
    for pod in still:
        if pod.status in UP and pod.id in driver.output():
            await driver.call(undisturbed, "audit", "--reap", "--yes", "--pod", pod.id)


def late_create_s(case: Case) -> float:
    """The time after the begin of the run in which a pod may still come into being."""
    return max((float(fault["seconds"]) + 15 for fault in case.faults if fault["what"] == "late-create"), default=0.0)


def guarded(pod: Pod, driver: Driver, since: Before) -> bool:
    """Whether the pod's guard can end it in time: the start command starts it, or it was started over SSH.

    Until it is armed, the guard of a paused pod that is started again has what the earlier run's cap pays for.
    """
    starts_guard = pod.created_at >= since.at and any(pod.spec.get(name) for name in ("entrypoint", "cmd", "args"))
    if pod.up_at is None or "key-revoked" in pod.faults:
        return False
    return starts_guard or driver.last_at("guard_armed") > pod.up_at


def ends_by(pod: Pod, driver: Driver, since: Before) -> float:
    """When the guard has ended the pod; without a guard, when an audit may delete it."""
    begun = max(pod.created_at, since.at)
    if guarded(pod, driver, since):
        return begun + SHORT_S + GRACE_S + SLACK_S
    if pod.up_at is None:
        return begun + SHORT_S + BOOT_WITHIN_S
    return max(begun, pod.up_at) + SHORT_S + GRACE_S + AUDIT_GRACE_S


async def undisturbed(_driver: Driver, _disturbance: Disturbance) -> None:
    """Nothing happens."""
