"""SIGINT, SIGTERM and SIGHUP: raised while a run works, held while it closes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..errors import Interrupt

NEVER = 1 << 30
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Counts the signals and decides which of them may interrupt the work.

    The first signal is raised as Interrupt in the main thread. Later ones are only stored in `pending`, so that they
    cannot interrupt the closing of a run, except where `held` allows it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.pending: str | None = None
        self._raise_from = 1
        self._critical = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Our handlers are installed; the earlier ones are restored at the end.

        Blocked signals are unblocked: one that was waiting is raised after the first `critical` section.
        """
        earlier = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        self._critical += 1
        mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self._critical -= 1
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.pending = signal.Signals(number).name
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self.pending and not self._critical and self.count >= self._raise_from:
            self._raise_from = NEVER
            raise Interrupt(self.take() or "signal")

    def take(self) -> str | None:
        """The name of the pending signal, which is then no longer pending; None if there is none."""
        name, self.pending = self.pending, None
        return name

    @contextmanager
    def critical(self) -> Iterator[None]:
        """No signal interrupts this block; one that arrives meanwhile is raised at its end."""
        self._critical += 1
        try:
            yield
        finally:
            self._critical -= 1
        self._raise_if_due()

    @contextmanager
    def held(self, *, unless_repeated: bool = False) -> Iterator[None]:
        """Signals stay pending until `take` is called; with `unless_repeated`, the second one of the run is raised."""
        earlier, self._raise_from = self._raise_from, 2 if unless_repeated else NEVER
        try:
            self._raise_if_due()
            yield
        finally:
            self._raise_from = min(earlier, NEVER)
