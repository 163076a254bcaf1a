"""Old run folders that may go: their runs are over, and the API has confirmed that their pods are gone.

Knows states and folders; asks the cloud only about pods that a run has kept. Removes nothing but whole run folders.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..cloud.protocol import Cloud
from ..cloud.removal import is_gone
from ..errors import DeployError
from ..machine.clock import Clock
from ..record.lock import RunLock
from ..record.paths import oddity
from ..record.state import State
from .runs import RecordedRun

Connect = Callable[[], Cloud]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The runs that are to go."""

    ended_before: datetime
    failed_only: bool = False

    def wants(self, run: RecordedRun) -> bool:
        """Whether the run has ended before that time, as asked."""
        state = run.state
        old = state.end.finished_at is not None and state.end.finished_at < self.ended_before
        return state.end.finished and old and (state.outcome != "succeeded" or not self.failed_only)


@dataclass(frozen=True, slots=True)
class Judged:
    """One old run, and why its folder must stay; empty if it may go."""

    run: RecordedRun
    why_kept: str = ""
    size_bytes: int = 0


def judged(runs: Iterable[RecordedRun], wanted: Wanted, connect: Connect, clock: Clock) -> Iterator[Judged]:
    """Each run that is to go, with the reason if it must stay."""
    for run in filter(wanted.wants, runs):
        why = standing_in_the_way(run, connect, clock)
        try:
            yield Judged(run, why, 0 if why else size_of(run.dir.path))
        except RecursionError:  # os.walk and rmtree of Python 3.11 call themselves for each level
            yield Judged(run, "its folders are nested too deeply: remove it by hand")


def standing_in_the_way(run: RecordedRun, connect: Connect, clock: Clock) -> str:
    """Why the run's folder must stay; empty if it may go."""
    if what := oddity(run.dir.path):
        return f"its folder is {what}"
    if run.state.pod_may_exist or run.state.pod.discarding:
        return "its pod is not confirmed to be gone"
    try:
        return pod_in_the_way(run.state, connect, clock)
    except DeployError as error:
        return f"RunPod cannot be asked about its pod: {error.message}"


def pod_in_the_way(state: State, connect: Connect, clock: Clock) -> str:
    """Why the run's pod keeps the folder; empty if the journal or the API says that it is gone. Raises DeployError."""
    pod_id = state.pod.id
    if pod_id is None or (state.end.released and state.pod.final_state is None):
        return ""
    cloud = connect()
    if state.request.account not in ("", cloud.account):
        return f"its pod {pod_id} was requested with another API key, so nobody can say whether it is gone"
    if cloud.get(pod_id) is not None:
        return f"its pod {pod_id} still exists ({state.pod.final_state}) and may bill"
    return "" if is_gone(cloud, clock, pod_id) else f"its pod {pod_id} is not confirmed to be gone"


def size_of(folder: Path) -> int:
    """The bytes of all files in the folder; links count as links."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(parent) / name).lstat().st_size
    return total


def remove(run: RecordedRun) -> None:
    """The run's folder is gone; what links in it lead to is untouched. Raises RunBusy, OSError."""
    with RunLock(run.dir).held(wait_s=0):
        shutil.rmtree(run.dir.path)
