"""Stopped pods and the cost of their disks. Pure: pods in, rows out; knows no API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..money import DAYS_A_MONTH, STOPPED_STORAGE_USD_PER_GB_MONTH, cents, disk_usd_per_day
from .values import Pod

NAME_WIDTH = 40
RULE = "-" * 82


@dataclass(frozen=True, slots=True)
class StalePod:
    """A stopped pod that keeps its disk."""

    pod_id: str
    name: str
    volume_in_gb: int
    age_hours: float | None
    """Hours since its last start, or else since its creation; None if the API names neither."""
    estimated_daily_cost_usd: float


def stale_pods(pods: Iterable[Pod], now: datetime) -> list[StalePod]:
    """The stopped pods, in the order given."""
    return [as_stale(pod, now) for pod in pods if pod.status == "EXITED"]


def as_stale(pod: Pod, now: datetime) -> StalePod:
    """The row of a stopped pod. A network volume is not counted: it is billed whether a pod uses it or not."""
    volume_gb = pod.volume_gb or 0
    since = pod.started_at or pod.created_at
    return StalePod(
        pod_id=pod.id,
        name=pod.name,
        volume_in_gb=volume_gb,
        age_hours=None if since is None else round((now - since) / timedelta(hours=1), 2),
        estimated_daily_cost_usd=round(disk_usd_per_day(volume_gb, STOPPED_STORAGE_USD_PER_GB_MONTH), 4),
    )


def chosen(pods: Iterable[StalePod], *, prefix: str, older_than: timedelta | None) -> list[StalePod]:
    """The pods with this prefix that are older. A pod of unknown age is not old enough."""
    least_hours = None if older_than is None else older_than / timedelta(hours=1)
    return [pod for pod in pods if pod.name.startswith(prefix) and old_enough(pod, least_hours)]


def old_enough(pod: StalePod, least_hours: float | None) -> bool:
    """Whether the pod is known to be at least this old."""
    return least_hours is None or (pod.age_hours is not None and pod.age_hours >= least_hours)


def stale_lines(pods: Sequence[StalePod]) -> Iterable[str]:
    """The table in the layout that scripts read, with its total."""
    yield f"{'POD_ID':16} {'NAME':40} {'GB':>6} {'$/day':>8} {'$/mo':>8}"
    yield RULE
    for pod_id, name, volume, a_day, a_month, _ in stale_cells(pods):
        yield f"{pod_id:16} {shortened(name):40} {volume:>6} {a_day:>8} {a_month:>8}"
    yield RULE
    yield total_line(pods)


def stale_cells(pods: Iterable[StalePod]) -> Iterable[tuple[str, str, str, str, str, str]]:
    """Id, name, GB, USD per day, USD per month and age of each pod."""
    for pod in pods:
        a_day = pod.estimated_daily_cost_usd
        age = "—" if pod.age_hours is None else f"{pod.age_hours / 24:.1f} d"
        yield pod.pod_id, pod.name, str(pod.volume_in_gb), f"{cents(a_day)}", f"{cents(a_day * DAYS_A_MONTH)}", age


def total_line(pods: Sequence[StalePod]) -> str:
    """The total cost of the pods."""
    a_day = sum(pod.estimated_daily_cost_usd for pod in pods)
    return f"TOTAL: {len(pods)} pods, ${cents(a_day)}/day (~${cents(a_day * DAYS_A_MONTH)}/mo)"


def shortened(name: str) -> str:
    """The name, cut to the column with dots at its end."""
    return name if len(name) <= NAME_WIDTH else name[: NAME_WIDTH - 3] + "..."
