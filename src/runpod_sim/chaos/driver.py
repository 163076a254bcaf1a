"""The driver's processes: run, resume, audit; disturbed when the journal reaches a row. Knows a driver from outside."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from .cases import Disturbance

LOOK_EVERY_S = 0.001
KILLED = (-signal.SIGKILL, -signal.SIGTERM)
"""Exit codes of a killed driver; SIGTERM ends one whose interpreter still starts and handles no signals yet."""
Disturb = Callable[["Driver", Disturbance], Awaitable[None]]


class Driver:
    """One driver in one copy of a project, one process of it at a time."""

    def __init__(
        self,
        command: Sequence[str],
        copy: Path,
        env: Mapping[str, str],
        disturbances: Sequence[Disturbance] = (),
        name: str = "",
    ) -> None:
        self.command = list(command)
        self.copy = copy
        self.env = {**os.environ, **env, "HOME": str(copy.parent / "home")}
        self.disturbances = list(disturbances)
        """The disturbances that are still to come, in order."""
        self.out = copy.parent / f"{name}out.txt"
        self.err = copy.parent / f"{name}err.txt"
        self.killed_after: list[str] = []
        """Last row of the journal at each kill."""
        self.process: asyncio.subprocess.Process | None = None
        self._size, self._names, self._stamps = -1, list[str](), dict[str, str]()

    async def call(self, disturb: Disturb, *args: str) -> int:
        """The exit code of one process; negative if it was killed."""
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, *args, cwd=self.copy, env=self.env, stdin=asyncio.subprocess.DEVNULL,
                stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
        watch = asyncio.create_task(self._watch(disturb))
        try:
            return await self.process.wait()
        finally:
            watch.cancel()
            self.signal(signal.SIGKILL)

    async def _watch(self, disturb: Disturb) -> None:
        """Calls disturb with each disturbance when its row is there."""
        while self.disturbances:
            if self.has_reached(self.disturbances[0].at):
                await asyncio.sleep(self.disturbances[0].after_s)
                await disturb(self, self.disturbances.pop(0))
            await asyncio.sleep(LOOK_EVERY_S)

    def has_reached(self, at: int | str) -> bool:
        """Whether the journal has that row."""
        names = self.events()
        return at in names if isinstance(at, str) else len(names) >= at

    def kill(self) -> None:
        """Nothing of the process group is left; processes that it sent into the background go on."""
        names = self.events()
        self.killed_after.append(f"row {len(names)} ({names[-1] if names else 'none'})")
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """The process group has been sent the signal."""
        assert self.process is not None
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    @property
    def run_dir(self) -> Path | None:
        """The folder that the driver printed first."""
        found = re.search(r"^RUN_DIR=(.+)$", self.out.read_text() if self.out.exists() else "", re.M)
        return Path(found[1]) if found else None

    def events(self) -> list[str]:
        """Names of the journal's complete rows; the file is read again only when it has grown."""
        run_dir = self.run_dir if self._size < 0 else self._known_dir
        if run_dir is None:
            return []
        self._known_dir = run_dir
        path = run_dir / "events.jsonl"
        size = path.stat().st_size if path.exists() else -1
        if size != self._size and size >= 0:
            rows = [row_of(line) for line in path.read_bytes().split(b"\n")[:-1]]
            self._size, self._names, self._stamps = size, [name for name, _ in rows], dict(rows)
        return self._names

    def names(self, pod_id: str) -> bool:
        """Whether a row of the journal is about the pod. The message of a row may name the pod of another machine."""
        path = self.run_dir / "events.jsonl" if self.run_dir else None
        return path is not None and path.exists() and f'"pod_id": "{pod_id}"' in path.read_text(errors="replace")

    def output(self) -> str:
        """All that its processes have printed."""
        return "".join(path.read_text(errors="replace") for path in (self.out, self.err) if path.exists())

    def last_at(self, name: str) -> float:
        """When the journal's last event of that name happened, in seconds since 1970; 0 if there is none."""
        return datetime.fromisoformat(self._stamps[name]).timestamp() if name in self.events() else 0.0

    _known_dir: Path | None = None


def row_of(line: bytes) -> tuple[str, str]:
    """The event's name and its time stamp; "not JSON" and nothing for a row that cannot be read."""
    try:
        row = json.loads(line)
        return str(row.get("event")), str(row.get("ts_utc"))
    except (ValueError, AttributeError):
        return "not JSON", ""
