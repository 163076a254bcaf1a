"""A job's log: on the pod while it exists, in the run folder afterwards. Knows files and SSH."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ..errors import UsageError
from ..machine.limits import SHOWN_LOG_BYTES
from ..machine.reading import read_end
from . import ssh
from .this_machine import PROGRAM_TIMEOUT_S

READ_BYTES = 1 << 16
SILENCE_S = 3600.0
Write = Callable[[bytes], object]


def stream(connection: ssh.Connection, find_log: str, lines: int, write: Write, *, follow: bool) -> None:
    """The end of the log on the pod has been written, and with `follow` all that came later.

    find_log is a command on the pod that prints the path of the log: see `job.log_command`.
    Raises Unreachable, and UsageError if the log cannot be read.
    """
    follows = " -f" if follow else ""
    with closing(connection), connection.spawn(f'tail -n {lines}{follows} -- "$({find_log})"') as child:
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


def last_lines(path: Path, lines: int) -> bytes:
    """The last lines of a local file, of its last 64 MB at most; empty if there is no file. Raises OSError."""
    if not path.is_file():
        return b""
    end = read_end(path, SHOWN_LOG_BYTES)
    start = len(end)
    for _ in range(lines):
        start = end.rfind(b"\n", 0, max(0, start - 1)) + 1
        if start == 0:
            break
    return end[start:]
