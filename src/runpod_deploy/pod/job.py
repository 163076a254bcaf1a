"""The job on the pod: the commands of scripts/job.sh, and the frames of its follow channel.

Knows the arguments and the output of that script; does not know how a connection is made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from shlex import quote
from typing import NoReturn

from ..machine import proc
from ..machine.limits import CHANNEL_SILENT_S, FRAME_HEADER_BYTES, FRAME_LOG_BYTES, FRAME_SAMPLE_BYTES
from ..spec.strict_json import loads
from . import scripts
from .protocol import Frame, JobEnd, LogChunk, Notice, Sample
from .ssh import Connection, Unreachable

READ_BYTES = 1 << 18
END_TIMEOUT_S = 5.0
HIGHEST_EXIT_CODE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPaths:
    """The paths of a run on the pod."""

    control_dir: str
    """The run's own folder; its last part is the run id."""
    log: str
    script: str
    disk: str
    """The folder of the volume whose use is measured."""
    background: str = "wait"
    """`wait`, `end` or `fail`: what becomes of processes that the script leaves running."""
    success_marker: str | None = None
    """The text in the log with which the job is over, whatever still runs."""

    @property
    def process_tag(self) -> str:
        """The value in the environment of every process of the job; no other run's tag contains it."""
        return f"{self.control_dir.rsplit('/', 1)[-1]}@"

    @property
    def contact(self) -> str:
        """The file that is touched while somebody works with the pod."""
        return f"{self.control_dir}/contact"

    def tool(self, name: str) -> str:
        """The path of an installed script."""
        return f"{self.control_dir}/{scripts.folder()}/{name}"


def start_command(paths: JobPaths, script_bytes: int) -> str:
    """A command that starts the script on stdin, once only, and prints the job's process id."""
    where = (paths.control_dir, paths.log, paths.script, paths.process_tag)
    return _job_sh(paths, "start", *where, str(script_bytes), paths.background, paths.success_marker or "")


FOLLOW_COMMAND = 'IFS= read -r line && eval "$line"'
"""The command of a follow channel, which reads what to run from stdin: a job that kills by name does not find it."""


def follow_line(paths: JobPaths, offset: int, sample_s: int) -> bytes:
    """The line for that command: stream frames from this byte of the log on, and samples every sample_s s (0: none)."""
    values = {
        "D": paths.control_dir,
        "L": paths.log,
        "TAG": paths.process_tag,
        "OFFSET": str(offset),
        "EVERY": str(sample_s),
        "DISK": paths.disk,
    }
    texts = f"F=$(cat {quote(paths.tool('follow.sh'))}) SAMPLE=$(cat {quote(paths.tool('sample.sh'))})"
    words = " ".join(f"{name}={quote(value)}" for name, value in values.items())
    return f"{texts} {words}; export F SAMPLE {' '.join(values)}; exec sh -c 'eval \"$F\"' follow.sh\n".encode()


def log_command(control_dir: str, log: str, run_id: str) -> str:
    """A command that prints the path of the job's log on the pod, also of one that the job has moved or removed."""
    folder, path = quote(control_dir), quote(log)
    tool = f"tool=$(ls -t {folder}/bin-*/job.sh 2>/dev/null | head -n 1)"
    return f'{tool}; sh "$tool" log {folder} {path} {quote(f"{run_id}@")} 2>/dev/null || echo {path}'


def stop_command(paths: JobPaths, grace_s: float) -> str:
    """A command that stops all processes of the job: TERM, then KILL after grace_s seconds."""
    return _job_sh(paths, "stop", paths.control_dir, paths.process_tag, str(int(grace_s)))


def _job_sh(paths: JobPaths, *arguments: str) -> str:
    return " ".join(["sh", *(quote(word) for word in (paths.tool("job.sh"), *arguments))])


FLAWS = {b"background": "left_running", b"preamble": "preamble_failed"}


class FrameParser:
    """Turns bytes into frames. Keeps one header, sample or notice at most; log bytes pass through as they come."""

    def __init__(self) -> None:
        self._data = b""
        self._log_left = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete. Raises ValueError if they make no sense."""
        self._data += data
        while self._data:
            if self._log_left:
                yield self._log_chunk()
                continue
            head, newline, rest = self._data.partition(b"\n")
            if len(head) > FRAME_HEADER_BYTES:
                raise ValueError("a header without an end")
            if not newline or (head[:1] in b"SN" and len(rest) < number(head[2:], FRAME_SAMPLE_BYTES)):
                return
            self._data = rest
            yield from self._headed(head[:1], head[2:])

    def _log_chunk(self) -> LogChunk:
        taken, self._data = self._data[: self._log_left], self._data[self._log_left :]
        self._log_left -= len(taken)
        return LogChunk(taken)

    def _headed(self, kind: bytes, value: bytes) -> Iterator[Frame]:
        if kind == b"L":
            self._log_left = number(value, FRAME_LOG_BYTES)
        elif kind == b"S":
            size = number(value, FRAME_SAMPLE_BYTES)
            row, self._data = self._data[:size], self._data[size:]
            yield from parsed_sample(row)
        elif kind == b"N":
            size = number(value, FRAME_SAMPLE_BYTES)
            text, self._data = self._data[:size], self._data[size:]
            word, *lines = text.decode(errors="replace").splitlines() or [""]
            yield Notice(word, tuple(lines))
        elif kind == b"E":
            code, _, how = value.partition(b" ")
            exit_code = None if code == b"-" else number(code, HIGHEST_EXIT_CODE)
            yield JobEnd(exit_code, stopped=how == b"stopped", flaw=FLAWS.get(how, ""))
        elif kind != b"K":
            raise ValueError(f"unknown frame type: {kind!r}")


def number(digits: bytes, most: int) -> int:
    """The number, which is not negative. Raises ValueError for anything else, and for a number beyond the limit."""
    if not digits.isdigit() or int(digits) > most:
        raise ValueError(f"not a number up to {most}: {digits!r}")
    return int(digits)


def parsed_sample(row: bytes) -> Iterator[Sample]:
    """The sample; nothing if its JSON makes no sense, since telemetry never ends a run."""
    with suppress(ValueError):
        values = loads(row)
        if isinstance(values, dict):
            yield Sample(values)


class Channel:
    """The open follow channel of one job."""

    def __init__(self, child: proc.Child, connection: Connection) -> None:
        self._child, self._connection = child, connection
        self._parser = FrameParser()
        self._frames: deque[Frame] = deque()
        self._silent_s = 0.0

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; None if none came within timeout_s seconds. Raises Unreachable if the connection is lost."""
        if not self._frames:
            data = self._child.read(READ_BYTES, timeout_s)
            if data == b"":
                self._fail()
            self._note_silence(0.0 if data else timeout_s)
            self._parse(data or b"")
        return self._frames.popleft() if self._frames else None

    def _note_silence(self, seconds: float) -> None:
        """Raises Unreachable after a silence that no working channel has."""
        self._silent_s = self._silent_s + seconds if seconds else 0.0
        if self._silent_s > CHANNEL_SILENT_S:
            raise Unreachable("dropped", f"the follow channel has been silent for {self._silent_s:.0f} s")

    def _parse(self, data: bytes) -> None:
        try:
            self._frames.extend(self._parser.feed(data))
        except ValueError as error:
            raise Unreachable("dropped", f"the follow channel is out of step: {error}") from error

    def _fail(self) -> NoReturn:
        """The stream ended before the job did. Raises Unreachable."""
        code = self._child.wait(END_TIMEOUT_S)
        self._connection.check(code, self._child.errors())
        message = self._child.errors().decode(errors="replace").strip()
        raise Unreachable("dropped", message or f"the follow channel ended with exit code {code}")
