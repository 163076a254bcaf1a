"""The job on the pod, as scripts/job.sh keeps it: its commands, and the frames of its follow channel.

Knows the words of that script; knows nothing of how a connection is made.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from typing import NoReturn

from ..machine import proc
from . import scripts
from .protocol import Frame, JobEnd, LogChunk, Sample
from .ssh import Connection, Unreachable

READ_BYTES = 1 << 18
END_S = 5.0
HEADER_LIMIT_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPaths:
    """Where a run keeps its things on the pod."""

    control_dir: str
    """The run's own folder; its last part is the run id."""
    log: str
    script: str
    disk: str
    """The volume whose use is measured."""

    @property
    def mark(self) -> str:
        """What the environment of every process of the job bears; no other run's mark contains it."""
        return f"{self.control_dir.rsplit('/', 1)[-1]}@"

    @property
    def contact(self) -> str:
        """The file that is touched while somebody works with the pod."""
        return f"{self.control_dir}/contact"

    def tool(self, name: str) -> str:
        """Path of an installed script."""
        return f"{self.control_dir}/{scripts.folder()}/{name}"


def start_command(paths: JobPaths, script_bytes: int) -> str:
    """Starts the script that comes on stdin, once."""
    return _words(paths, "start", paths.control_dir, paths.log, paths.script, paths.mark, str(script_bytes))


def follow_command(paths: JobPaths, offset: int, sample_s: int) -> str:
    """Streams frames from this byte of the log on, a sample each sample_s seconds (0: none)."""
    where = (paths.control_dir, paths.log, paths.mark, str(offset), str(sample_s), paths.disk)
    return _words(paths, "follow", *where)


def stop_command(paths: JobPaths, grace_s: float) -> str:
    """Leaves no process of the job."""
    return _words(paths, "stop", paths.control_dir, paths.mark, str(int(grace_s)))


def _words(paths: JobPaths, *words: str) -> str:
    return " ".join(["sh", *(quote(word) for word in (paths.tool("job.sh"), *words))])


class Frames:
    """Bytes in, frames out. Keeps one header or sample at most; the log passes through as it comes."""

    def __init__(self) -> None:
        self._data = b""
        self._log_left = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises ValueError on bytes that make no sense."""
        self._data += data
        while self._data:
            if self._log_left:
                yield self._log_chunk()
                continue
            head, newline, rest = self._data.partition(b"\n")
            if len(head) > HEADER_LIMIT_BYTES:
                raise ValueError("a header without an end")
            if not newline or (head[:1] == b"S" and len(rest) < int(head[2:])):
                return
            self._data = rest
            yield from self._headed(head[:1], head[2:])

    def _log_chunk(self) -> LogChunk:
        taken, self._data = self._data[: self._log_left], self._data[self._log_left :]
        self._log_left -= len(taken)
        return LogChunk(taken)

    def _headed(self, kind: bytes, value: bytes) -> Iterator[Frame]:
        if kind == b"L":
            self._log_left = int(value)
        elif kind == b"S":
            row, self._data = self._data[: int(value)], self._data[int(value) :]
            yield from sampled(row)
        elif kind == b"E":
            code, _, how = value.partition(b" ")
            yield JobEnd(None if code == b"-" else int(code), stopped=how == b"stopped")
        elif kind != b"K":
            raise ValueError(f"a header of an unknown kind: {kind!r}")


def sampled(row: bytes) -> Iterator[Sample]:
    """The measurement, unless the sampler wrote nonsense: telemetry never ends a run."""
    with suppress(ValueError):
        values = json.loads(row)
        if isinstance(values, dict):
            yield Sample(values)


class Channel:
    """The open follow channel of one job."""

    def __init__(self, child: proc.Child, connection: Connection) -> None:
        self._child, self._connection = child, connection
        self._parser = Frames()
        self._frames: deque[Frame] = deque()

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if the channel had none. Raises Unreachable when the connection is gone."""
        if not self._frames:
            data = self._child.read(READ_BYTES, timeout_s)
            if data == b"":
                self._fail()
            self._parse(data or b"")
        return self._frames.popleft() if self._frames else None

    def _parse(self, data: bytes) -> None:
        try:
            self._frames.extend(self._parser.feed(data))
        except ValueError as error:
            raise Unreachable("dropped", f"the follow channel is out of step: {error}") from error

    def _fail(self) -> NoReturn:
        """The stream ended without the job's end."""
        code = self._child.wait(END_S)
        self._connection.check(code, self._child.errors())
        words = self._child.errors().decode(errors="replace").strip()
        raise Unreachable("dropped", words or f"the follow channel ended with exit code {code}")
