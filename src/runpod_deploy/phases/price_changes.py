"""The price of the pod while it is used: the run's limits, and its guard's, follow it. Knows no create call.

RunPod takes what is due every few minutes, so a changed price counts against the cap before the run's end.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime

from ..cloud.rates import Rate, disks_of, real_rate
from ..cloud.values import Pod
from ..errors import DeployError
from ..money import guard_deadline, stop_at_price
from ..record.events import PriceChanged
from ..run import Run
from .candidates import priced
from .guard_terms import arm_again
from .pod_note import leave_note

EVERY_S, LEAST_S = 60.0, 5.0
SHARE_OF_REST = 0.1
"""A run that is short or near its end is looked at more often: whenever this share of the time that is left is over."""
AFTER_FAILURE_S = 300.0
"""An API that does not answer costs each look some seconds, in which nothing else is watched."""
SAME_WITHIN = 0.001
"""A price that differs by a smaller share is the same one, rounded."""


def follow_if_due(run: Run) -> None:
    """The limits go by the price that RunPod tells now, once it is time to look. Cheap enough for every loop."""
    clock, pod_id = run.world.clock, run.state.pod.id
    now_s = clock.monotonic()
    if pod_id is None or run.state.cost.stop_at is None or (run.price_due is not None and now_s < run.price_due):
        return
    first, run.price_due = run.price_due is None, now_s + pause_s(run)
    if first:
        return
    try:
        with run.world.cloud.bounded(0.0):
            pod = told_now(run, pod_id)
    except DeployError:
        run.price_due = clock.monotonic() + AFTER_FAILURE_S
        return
    if pod is not None:
        take(run, pod)
    arm_anew(run)


def pause_s(run: Run) -> float:
    """Seconds until the next look."""
    assert run.state.cost.stop_at
    left_s = (run.state.cost.stop_at - run.world.clock.now()).total_seconds()
    return min(EVERY_S, max(LEAST_S, SHARE_OF_REST * left_s))


def told_now(run: Run, pod_id: str) -> Pod | None:
    """The pod in a listing that many runs share. What is new there is not believed before the API has told it again.

    Raises DeployError.
    """
    listed = run.world.cloud.look(pod_id, max_age_s=pause_s(run))
    return listed if listed is None or new_rate(run, listed) is None else run.world.cloud.get(pod_id)


def take(run: Run, pod: Pod) -> None:
    """The limits go by the price that the pod has now."""
    now = max(run.world.clock.now(), run.state.last_at)
    if (rate := new_rate(run, pod)) is not None:
        record_change(run, pod, rate, now)
    run.price_seen_at = now


def new_rate(run: Run, pod: Pod) -> Rate | None:
    """The pod's price, if it differs from the one that the run goes by, and can be right."""
    rate = real_rate(run.spec.job, pod, priced(run, run.state.request.placed))
    same = math.isclose(rate.usd_per_hour, run.state.cost.usd_per_hour or 0.0, rel_tol=SAME_WITHIN)
    return None if same or rate.source != "pod_describe" else rate


def record_change(run: Run, pod: Pod, rate: Rate, now: datetime) -> None:
    """The journal has the new price, and when the run must stop. A rise counts from when the former was seen last."""
    cost = run.state.cost
    assert cost.usd_per_hour is not None and cost.begun_at
    since = earliest(run, now) if rate.usd_per_hour > cost.usd_per_hour else now
    disks = disks_of(pod, run.spec.job)
    stop = stop_at_price(
        run.spec.job.budget,
        usd_per_hour=rate.usd_per_hour + disks.usd_per_hour,
        since_at=since,
        past_usd=cost.spent_usd(since),
        begun_at=cost.begun_at,
    )
    if run.state.request.taken_from is not None and cost.stop_at and cost.stop_at < stop.at:
        return  # what an earlier machine has spent is known to the pod's note only: its stop is never extended
    run.record(
        PriceChanged(
            pod_id=pod.id,
            from_usd_per_hour=cost.usd_per_hour,
            to_usd_per_hour=rate.usd_per_hour,
            disks_usd_per_hour=disks.usd_per_hour,
            since_at=since,
            stop_at=stop.at,
            stop_why=stop.why,
        )
    )


def earliest(run: Run, now: datetime) -> datetime:
    """The earliest time from which the new price may have counted."""
    open_since = [rental.since_at for rental in run.state.cost.rentals if rental.until_at is None]
    return min(now, max([run.price_seen_at, *open_since]))


def arm_anew(run: Run) -> None:
    """The guard's deadline is that of the present limit. A pod that does not answer is tried at the next look."""
    armed, stop_at = run.state.pod.guard_deadline_at, run.state.cost.stop_at
    assert stop_at
    deadline = guard_deadline(stop_at, run.spec.job.budget)
    if armed is None or armed == deadline:
        return
    with suppress(DeployError, TimeoutError):
        arm_again(run, deadline)
        leave_note(run)
