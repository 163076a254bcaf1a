"""A stream whose reader may have stopped reading, such as a pager. Knows pipes; knows no events."""

from __future__ import annotations

import select
from collections.abc import Collection
from typing import TextIO

from ..machine.signals import notes

PIECE_CHARS = 1000
"""A pipe that has room has room for 4096 bytes, so that this many characters never block."""
PATIENCE_S = 60.0
"""How long a run waits for a reader. Afterwards its lines are only in console.log, until somebody reads again."""
GRACE_S = 1.0
"""How long a signal waits for a reader."""


class Reader:
    """The reader of one stream. A run neither misses its limits nor a signal because nobody reads what it prints."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stalled = False

    def write(self, text: str) -> None:
        """The text is on the stream, without its end if the reader does not read. Raises OSError, ValueError."""
        for begin in range(0, len(text), PIECE_CHARS):
            self._stalled = not self._has_room()
            if self._stalled:
                return
            self._stream.write(text[begin : begin + PIECE_CHARS])
            self._stream.flush()

    def _has_room(self) -> bool:
        try:
            fd = self._stream.fileno()
        except (OSError, ValueError, AttributeError):
            return True  # not a stream of the system
        if self._stalled:
            return fd in ready(fd, (), 0.0)
        watched = notes()
        found = ready(fd, () if watched is None else (watched,), PATIENCE_S)
        return fd in (found if fd in found or not found else ready(fd, (), GRACE_S))


def ready(fd: int, readable: Collection[int], within_s: float) -> list[int]:
    """Those of the descriptors that can be written, or read, as soon as there is one; none if that takes too long."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    for number in readable:
        poll.register(number, select.POLLIN)
    return [number for number, _ in poll.poll(within_s * 1000)]
