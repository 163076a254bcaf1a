"""A process that goes on when this one has ended, and which process has a file open. Knows processes; knows no run."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .files import open_own
from .proc import run

PROCESSES = Path("/proc")
LISTING_S = 10.0


class LeftBehind:
    """A process that does not end with this one."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pid = popen.pid

    def exit_code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._popen.poll()


def leave_behind(argv: Sequence[str], log: Path) -> LeftBehind:
    """A process in a session of its own, so that no terminal ends it; its output is in the log. Raises OSError.

    It has the whole environment of this process: it goes on with the same work, under the same key.
    """
    with open(log, "ab", opener=open_own) as output:
        return LeftBehind(
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        )


def has_open(pid: int, path: Path) -> bool:
    """Whether the process has this file open, as far as the system tells."""
    if not PROCESSES.is_dir():
        return is_listed(pid, path)
    with suppress(OSError):
        for entry in (PROCESSES / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if entry.samefile(path):
                    return True
    return False


def is_listed(pid: int, path: Path) -> bool:
    """Whether `lsof`, which macOS has, lists the process among those that have the file open."""
    try:
        listed = run(["lsof", "-t", "--", str(path)], timeout_s=LISTING_S)
    except OSError:
        return False
    return str(pid).encode() in listed.stdout.split()
