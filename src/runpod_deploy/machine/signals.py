"""SIGINT, SIGTERM and SIGHUP: noted when they arrive, raised as Interrupt only where that is safe.

Nothing is raised out of a handler: Python drops an exception that arrives in a destructor or in a foreign callback,
and the signal would be lost. Python's own handler in C puts the signal's number into a pipe, which is our note and
wakes the main thread up. Every wait, sleep, read and call of ours watches that pipe and passes a `checkpoint`, which
reads the notes.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from time import monotonic
from types import FrameType

from ..errors import Interrupt
from . import limited

NEVER = 1 << 30
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NOTES_BYTES = 4096
LONGEST_POLL_S = 3600.0
"""`poll` takes no more than 24 days at once; the loop around it waits for the rest."""


class Signals:
    """Counts the signals and decides which of them may interrupt the work.

    The first signal is raised as Interrupt at the next checkpoint. Later ones only wait, so that they cannot interrupt
    the closing of a run, except where `held` allows it.
    """

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[str] = []
        self.notes: int | None = None
        """The end of the pipe that the notes are read from, while the handlers are installed."""
        self._raise_from = 1
        self._critical = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Signals are noted here, in the main thread; the earlier handlers are restored at the end.

        Blocked signals are unblocked, and one that was waiting is raised at the first checkpoint.
        """
        self.notes, writer = _pipe()
        earlier_pipe = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        earlier = {number: signal.signal(number, _leave_it_to_the_pipe) for number in SIGNALS}
        mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        _installed.append(self)
        try:
            yield
        finally:
            _installed.remove(self)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for number, handler in earlier.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(earlier_pipe)
            self._read_notes()
            for end in (self.notes, writer):
                os.close(end)
            self.notes = None

    def checkpoint(self) -> None:
        """Raises Interrupt if a signal may interrupt the work here and has arrived; ends a block whose time is over."""
        self._read_notes()
        if self._waiting and not self._critical and self.count >= self._raise_from:
            self._raise_from = NEVER
            raise Interrupt(self._waiting.pop(0))
        limited.look()

    def _read_notes(self) -> None:
        with suppress(BlockingIOError):
            while self.notes is not None and (numbers := os.read(self.notes, NOTES_BYTES)):
                for number in numbers:
                    self._note(number)

    def _note(self, number: int) -> None:
        if number in SIGNALS:
            self.count += 1
            self._waiting.append(signal.Signals(number).name)

    def take(self) -> str | None:
        """The name of the last signal that waits, after which none waits; None if there is none."""
        self._read_notes()
        names, self._waiting = self._waiting, []
        return names[-1] if names else None

    @contextmanager
    def critical(self) -> Iterator[None]:
        """No signal interrupts this block; one that arrives meanwhile is raised at the first checkpoint after it."""
        self._critical += 1
        try:
            with limited.held():
                yield
        finally:
            self._critical -= 1

    @contextmanager
    def held(self, *, unless_repeated: bool = False) -> Iterator[None]:
        """Signals wait until `take` is called; with `unless_repeated`, the second one of the run is raised."""
        earlier, self._raise_from = self._raise_from, 2 if unless_repeated else NEVER
        try:
            self.checkpoint()
            yield
        finally:
            self._raise_from = min(earlier, NEVER)


_installed: list[Signals] = []
"""The handlers of a process are one thing of the whole process; at most one run installs them at a time."""


def current() -> Signals | None:
    """The signals whose handlers are installed; None if there are none, and in every thread but the main one."""
    return _installed[-1] if _installed and current_thread() is main_thread() else None


def checkpoint() -> None:
    """Raises Interrupt if a signal may interrupt the work here and has arrived; ends a block whose time is over."""
    if (signals := current()) is not None:
        signals.checkpoint()
    else:
        limited.look()


@contextmanager
def critical() -> Iterator[None]:
    """No signal interrupts this block; one that arrives meanwhile is raised at the first checkpoint after it."""
    signals = current()
    with limited.held() if signals is None else signals.critical():
        yield


def notes() -> int | None:
    """A descriptor that can be read while a signal waits for the next checkpoint; None if no handlers are installed."""
    signals = current()
    return None if signals is None else signals.notes


def await_ready(fd: int | None, event: int, timeout_s: float) -> bool:
    """Whether the descriptor is ready for the event of `select.poll` before the time is over; without one, False then.

    Raises Interrupt as `checkpoint` does, as soon as a signal arrives.
    """
    deadline = monotonic() + timeout_s
    while True:
        checkpoint()
        left_s = max(0.0, deadline - monotonic())
        ready = _poll(fd, event, limited.longest_wait_s(left_s))
        if fd is not None and fd in ready:
            return True
        if not ready and monotonic() >= deadline:
            checkpoint()
            return False


def _poll(fd: int | None, event: int, timeout_s: float) -> list[int]:
    """The descriptors that are ready: this one, and that of the notes."""
    poll, watched = select.poll(), notes()
    if fd is not None:
        poll.register(fd, event)
    if watched is not None:
        poll.register(watched, select.POLLIN)
    return [ready for ready, _ in poll.poll(min(timeout_s, LONGEST_POLL_S) * 1000)]


def _pipe() -> tuple[int, int]:
    """The two ends of a pipe that never blocks."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _leave_it_to_the_pipe(_number: int, _frame: FrameType | None) -> None:
    """The signal was noted before this function is called."""
