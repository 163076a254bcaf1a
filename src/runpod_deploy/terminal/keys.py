"""Keys that a person types while a run is drawn. Knows the terminal; knows no run.

A terminal hands over a typed key at once only in another mode, in which Ctrl-C and Ctrl-Z work as usual. The earlier
mode is set again at the end. A process in the background reads nothing and changes nothing: the terminal would stop it,
and with it the run.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

KEYS_BYTES = 64
STOPPING = (signal.SIGTTIN, signal.SIGTTOU)
FAILURES = (OSError, ValueError, AttributeError, termios.error)
"""What a terminal raises that is closed or gone."""


class Keys:
    """The keys that were typed since the last look; none if stdin is no terminal."""

    def __init__(self) -> None:
        self._fd = -1
        self._earlier_mode: list[Any] | None = None

    @property
    def listening(self) -> bool:
        """Whether typed keys are read."""
        return self._earlier_mode is not None

    def start(self) -> None:
        """From now on keys are read as they are typed, if a person can type any."""
        with suppress(*FAILURES), unstoppable():
            self._fd = sys.stdin.fileno()
            if not self.listening and is_in_foreground(self._fd):
                mode = termios.tcgetattr(self._fd)
                tty.setcbreak(self._fd)
                self._earlier_mode = mode

    def stop(self) -> None:
        """The terminal is in its earlier mode. The shell of a process in the background has set its own."""
        mode, self._earlier_mode = self._earlier_mode, None
        with suppress(*FAILURES), unstoppable():
            if mode is not None and is_in_foreground(self._fd):
                termios.tcsetattr(self._fd, termios.TCSADRAIN, mode)

    def typed(self) -> str:
        """The keys; empty if there are none."""
        with suppress(*FAILURES), unstoppable():
            if self.listening and is_in_foreground(self._fd) and select.select([self._fd], [], [], 0)[0]:
                return os.read(self._fd, KEYS_BYTES).decode(errors="replace")
        return ""


def is_in_foreground(fd: int) -> bool:
    """Whether this is a terminal whose keys go to this process."""
    return os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp()


@contextmanager
def unstoppable() -> Iterator[None]:
    """The terminal cannot stop this thread, even if the process goes into the background meanwhile."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
