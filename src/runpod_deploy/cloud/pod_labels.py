"""How a pod tells that it is ours: its name and the marks in its environment. Pure; readable from any machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..money import affordable
from .values import Pod

RUN_ID_MARK = "RUNPOD_DEPLOY_RUN_ID"
DEADLINE_MARK = "RUNPOD_DEPLOY_DEADLINE"
"""Seconds since the epoch: when the guard acts if it hears nothing more."""
BOOT_DEADLINE_MARK = "RUNPOD_DEPLOY_BOOT_DEADLINE"
"""Seconds since the epoch: when the driver gives the boot up."""
CAP_MARK = "RUNPOD_DEPLOY_COST_CAP_USD"
"""What the run may cost: at a real price below the expected one its pod may live longer than its first deadline."""
CLOSING_MARK = "RUNPOD_DEPLOY_CLOSING_S"
"""Seconds that its driver and its guard may take after that."""
MARKS = (RUN_ID_MARK, DEADLINE_MARK, BOOT_DEADLINE_MARK, CAP_MARK, CLOSING_MARK)

RUN_NAME = re.compile(r".*-\d{8}T\d{6}Z(-\d+)?")
BOOT_PATIENCE = timedelta(minutes=30)
"""For a pod that does not say how long its boot may take: twice the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Whose a pod is, and until when it may be."""

    run_id: str
    marked: bool
    """Whether its environment says so, and not its name alone, which others may give too."""
    deadline_at: datetime | None
    boot_deadline_at: datetime | None


def provenance(pod: Pod) -> Provenance | None:
    """What the pod tells of its run; None if nothing says that it is ours."""
    run_id = pod.env.get(RUN_ID_MARK)
    if not run_id and not RUN_NAME.fullmatch(pod.name):
        return None
    extra = since_restart(pod)
    boot = instant(pod.env, BOOT_DEADLINE_MARK) or (pod.created_at and pod.created_at + BOOT_PATIENCE)
    deadline = latest(instant(pod.env, DEADLINE_MARK), cap_lasts_until(pod))
    return Provenance(
        run_id=run_id or pod.name,
        marked=bool(run_id),
        deadline_at=deadline and deadline + extra,
        boot_deadline_at=boot and boot + extra,
    )


def cap_lasts_until(pod: Pod) -> datetime | None:
    """Until when its guard lets it be at its real price; None if that cannot be told."""
    try:
        cap_usd, closing = float(pod.env[CAP_MARK]), timedelta(seconds=float(pod.env[CLOSING_MARK]))
    except (KeyError, ValueError, OverflowError):
        return None
    if not pod.usd_per_hour or pod.created_at is None:
        return None
    return pod.created_at + affordable(cap_usd, pod.usd_per_hour) + closing


def latest(*instants: datetime | None) -> datetime | None:
    """The last of those that are known."""
    return max((at for at in instants if at is not None), default=None)


def since_restart(pod: Pod) -> timedelta:
    """How much later than its creation the pod was last started.

    A paused pod that another run has resumed still bears the marks of its first: its time counts from the resume.
    """
    if pod.started_at is None or pod.created_at is None:
        return timedelta()
    return max(timedelta(), pod.started_at - pod.created_at)


def instant(env: Mapping[str, str], mark: str) -> datetime | None:
    """The instant of a mark; None if there is none or it makes no sense."""
    try:
        return datetime.fromtimestamp(float(env.get(mark, "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None
