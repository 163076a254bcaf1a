"""A shell under `runpod-sim exec` on a real terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

DEADLINE_S = 90.0


def output_until(terminal: int, wanted: bytes) -> bytes:
    """All output up to the wanted bytes, or what came before the deadline or the end."""
    seen, deadline = b"", time.monotonic() + DEADLINE_S
    while wanted not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
    return seen


def test_an_interactive_shell_reads_from_the_terminal() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        command = str(Path(sys.executable).with_name("runpod-sim"))
        os.execv(command, [command, "exec", "--", "bash", "--norc", "-i"])
    try:
        os.write(terminal, b"echo sum $((40 + 2)); exit 7\n")
        assert b"sum 42" in output_until(terminal, b"sum 42")
        output_until(terminal, b"\0 never")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(terminal)
