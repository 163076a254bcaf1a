"""A run that another process carries out: its output is shown here, or a process is left behind that carries it out.

This module is loaded by the process that watches, so it must not import a heavy library.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from ..errors import RunBusy
from ..machine.clock import SystemClock, wait_until
from ..machine.left_behind import LeftBehind, leave_behind
from ..machine.reading import open_regular
from ..record.fold import fold
from ..record.journal import read_events
from ..record.lock import RunLock
from ..record.paths import RunDir
from ..record.spec_file import read_spec
from ..record.state import State
from ..terminal.line_splitter import Lines
from ..terminal.output import print_err, write_err

FOLLOW_EVERY_S = 0.5
LONGEST_FOLLOW_S = 30 * 86400.0
CHUNK_BYTES = 1 << 16
STARTS_WITHIN_S = 20.0
LOOK_EVERY_S = 0.05


def leave_driver(folder: RunDir, *, trust: bool) -> LeftBehind | None:
    """A process in the background carries the run out to its end; None if none could be started, which stderr says.

    It holds the run when this returns, unless another process does.
    """
    flags = ["--trust"] if trust else []
    argv = [sys.executable, "-P", "-m", "runpod_deploy", "resume", str(folder.path), "-q", "--wait", "30s", *flags]
    try:
        driver = leave_behind(argv, folder.driver_log)
        wait_until(SystemClock(), lambda: has_begun(folder, driver), every_s=LOOK_EVERY_S, within_s=STARTS_WITHIN_S,
                   what="the driver in the background")  # fmt: skip
    except OSError as error:  # a TimeoutError is one, too
        print_err(f"no process carries the run out in the background: {error}")
        return None
    return driver


def has_begun(folder: RunDir, driver: LeftBehind) -> bool | None:
    """Whether the driver holds the run or has ended already; None if it may still begin."""
    return RunLock(folder).holder_here() == driver.pid or driver.exit_code() is not None or None


class Follower:
    """Shows what the process that carries out a run prints."""

    def __init__(self, folder: RunDir, *, from_now: bool = False) -> None:
        self.folder = folder
        self.shown = 0
        if from_now:
            with suppress(OSError):
                self.shown = folder.console.stat().st_size
        self.lines = Lines()

    def follow(self) -> State:
        """The run's state, once no other process holds it."""
        wait_until(
            SystemClock(), self.look, every_s=FOLLOW_EVERY_S, within_s=LONGEST_FOLLOW_S, what="the end of the run"
        )
        return state_of(self.folder)

    def look(self) -> bool | None:
        """True once no process holds the run and everything is shown."""
        over = not RunLock(self.folder).is_held()
        self.show()
        return over or None

    def show(self) -> None:
        """The new part of console.log is on stderr."""
        try:
            with os.fdopen(open_regular(self.folder.console), "rb") as file:
                file.seek(self.shown)
                while data := file.read(CHUNK_BYTES):
                    self.shown += len(data)
                    write_err("".join(f"{line}\n" for line in self.lines.feed(data)))
        except FileNotFoundError:
            return


def state_of(folder: RunDir) -> State:
    """The run's state, as its journal has it. Raises UsageError, ConfigError."""
    return fold(read_events(folder.events), success_marker=read_spec(folder).job.run.success_marker)


def is_under_way(folder: RunDir) -> bool:
    """Whether a process carries out the run, so that it can only be followed."""
    with suppress(OSError, NotImplementedError):
        return RunLock(folder).is_held()
    return False


def busy(folder: RunDir) -> RunBusy:
    """The error for a run that a process of another machine or user carries out."""
    return RunBusy(
        f"{folder.path}: {RunLock(folder).holder()} carries it out, which is no process of yours on this machine",
        hint="end the run there",
    )
