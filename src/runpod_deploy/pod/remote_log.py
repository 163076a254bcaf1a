"""A job's log: on the pod while it exists, in the run folder afterwards. Knows files and SSH."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shlex import quote

from ..errors import UsageError
from ..machine.limits import SHOWN_LOG_BYTES
from ..machine.reading import open_regular, read_end
from . import ssh
from .this_machine import PROGRAM_TIMEOUT_S

READ_BYTES = 1 << 16
SILENCE_S = 3600.0
Write = Callable[[bytes], object]


def stream(connection: ssh.Connection, find_log: str, lines: int, write: Write, *, until: str | None) -> None:
    """The end of the log on the pod has been written, and all that came later until there was this file on the pod.

    None: nothing that comes later is written.

    find_log is a command on the pod that prints the path of the log: see `job.log_command`.
    Raises Unreachable, and UsageError if the log cannot be read.
    """
    tail = f'tail -n {lines} -- "$({find_log})"'
    with closing(connection), connection.spawn(tail if until is None else followed(tail, until)) as child:
        child.close_stdin()
        while (data := child.read(READ_BYTES, SILENCE_S)) != b"":
            if data:
                write(data)
        code = child.wait(PROGRAM_TIMEOUT_S)
        if code == ssh.SSH_FAILED:
            raise ssh.classify(child.errors())
        if code:
            message = child.errors().decode(errors="replace").strip()
            raise UsageError(f"the log cannot be read: {message}", hint="the job may not have been launched yet")


def followed(tail: str, until: str) -> str:
    """A command that goes on with the log until there is this file on the pod, and then ends with exit status 0."""
    following = tail.replace("tail -n", "tail -f -n", 1)
    return f"""{following} & t=$!
while kill -0 "$t" 2>/dev/null; do
    [ ! -e {quote(until)} ] || {{ sleep 1; kill "$t"; exit 0; }}
    sleep 1
done
wait $t"""


def last_lines(path: Path, lines: int) -> bytes:
    """The last lines of a local file, of its last 64 MB at most; empty if there is no file. Raises OSError."""
    if not path.is_file():
        return b""
    return end_of(read_end(path, SHOWN_LOG_BYTES), lines)


def follow_copy(path: Path, lines: int, write: Write, is_over: Callable[[], bool]) -> None:
    """The end of a local file has been written, and all that came later until `is_over`. Raises OSError.

    `is_over` is asked whenever nothing new has come, and waits a moment itself.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - SHOWN_LOG_BYTES))
        write(end_of(file.read(min(size, SHOWN_LOG_BYTES)), lines))
        over = False
        while True:
            if data := file.read(READ_BYTES):
                write(data)
            elif over:
                return
            else:
                over = is_over()


def end_of(end: bytes, lines: int) -> bytes:
    """The last lines of this text."""
    start = len(end)
    for _ in range(lines):
        start = end.rfind(b"\n", 0, max(0, start - 1)) + 1
        if start == 0:
            break
    return end[start:]
