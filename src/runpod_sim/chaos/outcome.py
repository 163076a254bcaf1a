"""The facts about one case, as the ledger and the driver's files show them. Judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..clock import now
from ..cloud.cloud import Cloud
from ..records.pods import UP, Pod
from .cases import Case
from .driver import Driver
from .project import START_LINE, files_of


@dataclass(slots=True)
class Outcome:
    """The facts about one run of a case, once the case is over."""

    case: Case
    code: int | None = None
    """The last exit code; None if the driver was killed for good, or did not end."""
    hung: bool = False
    killed_after: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    pods: int = 0
    usd_per_hour: float = 0.0
    starts: int = 0
    unnamed: list[str] = field(default_factory=list)
    """Pods that billed when the driver ended, although its last lines did not name them."""
    left_after_grace: list[str] = field(default_factory=list)
    """Pods that still billed after the guard's deadline although their guard could have ended them."""
    reaped: bool = False
    """Whether an audit had to delete pods that no guard could end."""
    left: list[str] = field(default_factory=list)
    """Pods that billed at the end: after an audit, if nobody resumed."""
    overspent_s: float = 0.0
    touched: list[str] = field(default_factory=list)
    """What was done to pods of other people."""
    files: dict[str, str] = field(default_factory=dict)
    stderr: str = ""
    """The end of the driver's output."""
    other: Outcome | None = None
    """The run of the other folder that has the same id."""


@dataclass(frozen=True, slots=True)
class Before:
    """The ledger before the run: a recycled pod has cost money, and was used."""

    at: float = 0.0
    usd: float = 0.0
    starts: int = 0


def before(pods: Sequence[Pod]) -> Before:
    """The ledger as it is now."""
    return Before(now(), spent_usd(pods), starts_of(pods))


def fill_in(outcome: Outcome, driver: Driver, pods: Sequence[Pod], cap_usd: float, since: Before) -> None:
    """The outcome has all that can be seen afterwards of the run with these pods."""
    outcome.events = driver.events()
    outcome.killed_after = driver.killed_after
    outcome.pods = len(pods)
    outcome.usd_per_hour = max((pod.usd_per_hour for pod in pods), default=0.0)
    outcome.starts = starts_of(pods) - since.starts
    outcome.left = [pod.id for pod in pods if pod.status in UP]
    outcome.overspent_s = max(0.0, overspent_s(pods, cap_usd + since.usd))
    outcome.files = files_of(driver.copy, driver.run_dir)
    outcome.stderr = driver.err.read_text(errors="replace")[-3000:] if driver.err.exists() else ""


def own(cloud: Cloud, foreign: Sequence[Pod], other: Driver | None) -> list[Pod]:
    """The pods that are neither of other people nor of the run of the other folder."""
    pods = [pod for pod in cloud.pods.values() if pod not in foreign]
    return [pod for pod in pods if other is None or not other.names(pod.id)]


def starts_of(pods: Sequence[Pod]) -> int:
    """How often the job was started on them."""
    return sum(START_LINE in line.text for pod in pods for line in pod.logs)


def spent_usd(pods: Sequence[Pod]) -> float:
    """The cost of the pods until now, by their GPU and CPU meters."""
    return sum(period.usd("gpu") + period.usd("cpu") for pod in pods for period in pod.meter.periods(now()))


def overspent_s(pods: Sequence[Pod], cap_usd: float) -> float:
    """For how long the pods billed after the cap was used up; negative: they did not."""
    if not pods:
        return 0.0
    return (spent_usd(pods) - cap_usd) / pods[-1].usd_per_hour * 3600
