"""The installed command on a terminal of its own: what it draws is read, and keys are typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType

CODES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


class OnTerminal:
    """One command whose controlling terminal we hold the other side of."""

    def __init__(self, argv: list[str], env: dict[str, str], *, cwd: Path | None = None, columns: int = 80) -> None:
        self.ours, self.theirs = pty.openpty()
        self.mode = termios.tcgetattr(self.theirs)
        self.written = b""
        size = {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "24"}
        self.process = subprocess.Popen(
            argv, env={**env, **size}, cwd=cwd, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    def __enter__(self) -> OnTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self.ours)
        os.close(self.theirs)

    @property
    def text(self) -> str:
        """All that was written so far, without the codes that place and colour it."""
        return CODES.sub(b"", self.written).decode(errors="replace").replace("\r\n", "\n")

    def read(self, wait_s: float = 0.1) -> bool:
        """Whether something more was written within this time."""
        if not select.select([self.ours], [], [], wait_s)[0]:
            return False
        self.written += os.read(self.ours, 1 << 16)
        return True

    def await_text(self, text: str, within_s: float = 200.0) -> None:
        """The command has written this text."""
        deadline = time.monotonic() + within_s
        while text not in self.text:
            assert time.monotonic() < deadline and self.process.poll() is None, self.text[-3000:]
            self.read()

    def type(self, keys: str) -> None:
        """A person types these keys."""
        os.write(self.ours, keys.encode())

    def end(self, within_s: float = 300.0) -> int:
        """The exit code, once all that was written is read."""
        deadline = time.monotonic() + within_s
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.text[-3000:]
            self.read()
        while self.read(0.0):
            pass
        return self.process.returncode
