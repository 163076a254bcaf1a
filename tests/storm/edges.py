"""The edges of a process in a storm: its clock, its journal, and the cloud and the pods as it sees them.

Each of them asks the process whether it still lives, and tells it of every side effect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from runpod_deploy.errors import SshLost
from runpod_deploy.record.events import Event
from runpod_deploy.record.journal import Journal
from runpod_deploy.record.paths import RunDir
from tests.storm.faults import Answered

if TYPE_CHECKING:
    from tests.storm.process import Process

QUIET = ("boot_stage", "close", "host_log", "credit_usd", "bounded")
"""Calls without an effect, which never fail."""


class ProcessClock:
    """The time of one process. It ends with the process."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def now(self) -> datetime:
        """The time of day, by a clock that may have been set."""
        return self.process.cloud.memory_clock.now() + timedelta(seconds=self.process.faults.wall_off_s)

    def monotonic(self) -> float:
        """Seconds since the start of the storm."""
        return self.process.cloud.memory_clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Time passes, for everybody."""
        self.process.live()
        with self.process.enough_disk():
            self.process.cloud.memory_clock.sleep(seconds)
        self.process.live()


class StormJournal(Journal):
    """A journal that a dead process cannot write to."""

    def __init__(self, process: Process, run_dir: RunDir) -> None:
        super().__init__(run_dir.events)
        self.process = process

    def append(self, event: Event, common: dict[str, Any], *, must: bool = False) -> bool:
        """As the journal does."""
        self.process.live()
        return super().append(event, common, must=must)


class Outside:
    """The cloud or a pod as one process sees it: each call is an effect, before and after."""

    def __init__(self, process: Process, target: Any, failing: Callable[[str], None]) -> None:
        self.process, self.target, self.failing = process, target, failing

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.target, name)
        if name in QUIET or not callable(method):
            return method
        return lambda *args, **named: self.call(name, method, args, named)

    def call(self, name: str, method: Any, args: Any, named: Any) -> Any:
        """The result of the call, unless a fault strikes before or after it."""
        try:
            self.process.effect(f"before {name}", args)
        except Answered as answered:
            return answered.answer
        self.failing(name)
        if name == "follow":
            return self.following(method(*args, **named))
        result = method(*args, **named)
        self.process.effect(f"after {name}", args)
        return result

    @contextmanager
    def following(self, channel: Any) -> Iterator[Any]:
        """The follow channel, of which each read is an effect."""
        with channel as inner:
            yield Outside(self.process, inner, self.failing)


class Nowhere:
    """An address at which nothing listens."""

    def __getattr__(self, name: str) -> Any:
        if name == "close":
            return lambda: None

        def lost(*args: Any, **named: Any) -> None:
            raise SshLost("connection refused")

        return lost


def journal_rows(run_dir: RunDir) -> list[dict[str, Any]]:
    """The rows of the journal on disk."""
    with suppress(FileNotFoundError):
        return [json.loads(line) for line in run_dir.events.read_bytes().splitlines() if line.endswith(b"}")]
    return []
