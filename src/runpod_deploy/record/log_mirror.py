"""The job's log as it arrives: copied byte for byte into the run folder, and searched for markers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..machine.files import extend
from ..machine.limits import LOG_BYTES
from ..machine.reading import open_regular
from ..machine.signals import checkpoint
from ..spec import RunSpec
from .events import Event
from .log_markers import LogScanner

CHUNK_BYTES = 1 << 20


class LogMirror:
    """A local copy of the log that is always a prefix of what was written to it.

    `begin` is the number of bytes that had arrived when the job last emptied the log: the pod's file starts there.

    If the disk is full, the copy stops growing and `lagging` says why. Markers are still found. The rest is fetched
    again from `size` when there is room.
    """

    def __init__(self, path: Path, job: RunSpec, *, scanned_bytes: int = 0, begin: int = 0) -> None:
        self.path = path
        self.begin = begin
        self.size = path.stat().st_size if path.exists() else 0
        self.scanner = LogScanner(job, offset=min(scanned_bytes, self.size))
        self.received = self.size
        self.lagging: str | None = None
        self.truncations = 0
        """How often the job has emptied its log."""

    def catch_up(self) -> Iterator[Event]:
        """The events of the part of the copy that was not searched yet, because a process crashed in between."""
        if self.size > self.scanner.offset:
            with os.fdopen(open_regular(self.path), "rb") as file:
                file.seek(self.scanner.offset)
                while chunk := file.read(CHUNK_BYTES):
                    checkpoint()
                    yield from self.scanner.feed(chunk)

    def take(self, data: bytes) -> Iterator[Event]:
        """The events in the next bytes of the log, after these were added to the copy."""
        self._keep(data)
        self.received += len(data)
        yield from self.scanner.feed(data)

    @property
    def remote_offset(self) -> int:
        """The place in the pod's file of the next byte that is wanted."""
        return max(0, self.received - self.begin)

    def truncated(self) -> Iterator[Event]:
        """The events in the last line before the job emptied its log, which goes on at its first byte."""
        self.begin = self.received
        self.truncations += 1
        yield from self.scanner.finish()

    def _keep(self, data: bytes) -> None:
        if self.received != self.size:
            return  # the disk was full, so bytes are missing: only a new fetch from `size` may add to the copy
        if self.size + len(data) > LOG_BYTES:
            self.lagging = f"it is longer than {LOG_BYTES >> 30} GiB, and the rest was not copied"
            return
        try:
            extend(self.path, data, self.size)
        except OSError as error:
            self.lagging = error.strerror or str(error)
        else:
            self.size += len(data)
