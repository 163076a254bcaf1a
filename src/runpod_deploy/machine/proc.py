"""Child processes: the only module that starts one. Knows argv, bytes and exit codes; knows no SSH.

Every child gets its own session, so that Ctrl-C in a terminal reaches only this process, which decides what happens
next. Arguments are visible to every user of the machine, so secrets go through stdin, never through argv.
"""

from __future__ import annotations

import fcntl
import os
import select
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO

from . import environment
from .limits import STDERR_BYTES
from .signals import await_ready, checkpoint, notes

OUTPUT_LIMIT_BYTES = 4 << 20
PIPE_BYTES = 1 << 18
STALL_S = 300.0
TERM_GRACE_S = 1.0
TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Completed:
    """The exit code of a child, and the end of its output."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str],
    *,
    stdin: bytes | bytearray = b"",
    env: Mapping[str, str] | None = None,
    timeout_s: float,
    keep_stdin_open: bool = False,
    keep_bytes: int = OUTPUT_LIMIT_BYTES,
    on_output: Callable[[bytes], None] | None = None,
) -> Completed:
    """The result of a child that has ended.

    on_output gets the output of both streams as it comes, and b"" at least once a second while nothing comes. The
    last keep_bytes of each stream are kept. With keep_stdin_open the child's stdin stays open until the child ends.
    Raises TimeoutError after timeout_s seconds, once the child and its process group have been killed.
    """
    with Child(argv, env=env, stderr_pipe=True) as child:
        exchange = _Exchange(child, memoryview(stdin), keep_stdin_open, on_output)
        exchange.keep_bytes = keep_bytes
        exchange.carry_out(monotonic() + timeout_s)
        return Completed(child.wait(TERM_GRACE_S), bytes(exchange.stdout), bytes(exchange.stderr))


def _errors_file() -> IO[bytes]:
    """A file for a child's stderr, in memory if the system can do that, since the disk of /tmp may be full.

    In memory it cannot grow: what a child writes after the first STDERR_BYTES is lost, and all of it under a limit of
    this process on the size of files (`ulimit -f`).
    """
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    file = os.fdopen(os.memfd_create("stderr", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b")
    with suppress(OSError):
        os.ftruncate(file.fileno(), STDERR_BYTES)
    fcntl.fcntl(file.fileno(), fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    return file


class Child:
    """A running child. At the end of the `with` block it has been killed and reaped, whatever was raised.

    Its environment is the one given, or else what `environment.of_child` puts together: never the whole of ours.
    """

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, stderr_pipe: bool = False) -> None:
        with ExitStack() as unless_started:
            self._errors = None if stderr_pipe else unless_started.enter_context(_errors_file())
            self._popen = subprocess.Popen(
                argv,
                env=environment.of_child() if env is None else env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors or subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
            unless_started.pop_all()
        for stream in (self._popen.stdin, self._popen.stdout):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            _enlarge_pipe(stream.fileno())

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr, self._errors):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    @property
    def stdin(self) -> int:
        """The file descriptor of the pipe to the child's stdin."""
        assert self._popen.stdin is not None
        return self._popen.stdin.fileno()

    @property
    def stdout(self) -> int:
        """The file descriptor of the pipe from the child's stdout."""
        assert self._popen.stdout is not None
        return self._popen.stdout.fileno()

    @property
    def stderr(self) -> int:
        """The file descriptor of the pipe from the child's stderr, for a child that was started with stderr_pipe."""
        assert self._popen.stderr is not None
        return self._popen.stderr.fileno()

    def write(self, data: bytes | bytearray | memoryview, stall_s: float = STALL_S) -> int:
        """The child has all bytes. Raises BrokenPipeError, and TimeoutError if it reads none for stall_s seconds."""
        left = memoryview(data)
        while left:
            checkpoint()
            try:
                left = left[os.write(self.stdin, left) :]
            except BlockingIOError:
                self._await_room(stall_s)
        return len(data)

    def write_from(self, handle: int, limit: int, stall_s: float = STALL_S) -> int:
        """The number of bytes of an open file that the child has received now; 0 at its end. Raises as `write` does."""
        while True:
            checkpoint()
            try:
                return os.splice(handle, self.stdin, limit)  # without a copy in this process's memory
            except BlockingIOError:
                self._await_room(stall_s)
            except (AttributeError, OSError) as error:
                if isinstance(error, BrokenPipeError):
                    raise
                return self.write(os.read(handle, min(limit, PIPE_BYTES)), stall_s)

    def _await_room(self, stall_s: float) -> None:
        if not await_ready(self.stdin, select.POLLOUT, stall_s):
            raise TimeoutError(f"nothing could be sent for {stall_s:.0f} s")

    def read(self, limit: int, stall_s: float = STALL_S) -> bytes | None:
        """The next bytes, at most `limit`; b"" at the end of the stream, None if none came within stall_s seconds."""
        checkpoint()  # a child that floods us leaves no time to wait in
        for wait_s in (stall_s, 0.0):
            with suppress(BlockingIOError):
                return os.read(self.stdout, limit)
            if not await_ready(self.stdout, select.POLLIN, wait_s):
                break
        return None

    def close_stdin(self) -> None:
        """The child sees the end of its input."""
        if self._popen.stdin is not None:
            with suppress(OSError):
                self._popen.stdin.close()

    def errors(self) -> bytes:
        """What the child has written to stderr, within limits, for a child that was started without stderr_pipe."""
        assert self._errors is not None
        end = os.lseek(self._errors.fileno(), 0, os.SEEK_CUR)  # the child writes at this offset, too
        length = min(end, STDERR_BYTES)
        return os.pread(self._errors.fileno(), length, end - length)

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def wait(self, timeout_s: float) -> int:
        """The exit code; negative for a signal. A child that does not end within timeout_s seconds is killed."""
        deadline = monotonic() + timeout_s
        while (left_s := deadline - monotonic()) > 0:
            checkpoint()
            with suppress(subprocess.TimeoutExpired):
                return self._popen.wait(min(left_s, TICK_S))
        self.kill()
        return self._popen.wait()

    def kill(self) -> None:
        """The child's process group has been terminated, or killed if it did not end."""
        if self._popen.poll() is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(TERM_GRACE_S)
                return
        self._popen.wait()


class _Exchange:
    """Writes a child's input and collects its output in one loop that never blocks."""

    def __init__(
        self, child: Child, stdin: memoryview, keep_stdin_open: bool, on_output: Callable[[bytes], None] | None
    ) -> None:
        self.stdout, self.stderr = bytearray(), bytearray()
        self._child, self._left, self._hold = child, stdin, keep_stdin_open
        self._on_output = on_output
        self.keep_bytes = OUTPUT_LIMIT_BYTES
        self._open = {child.stdout: self.stdout, child.stderr: self.stderr}

    def carry_out(self, deadline: float) -> None:
        """The child has ended, or closed both of its outputs. Raises TimeoutError at the deadline."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._child.stdout, selectors.EVENT_READ)
            ready.register(self._child.stderr, selectors.EVENT_READ)
            ready.register(self._child.stdin, selectors.EVENT_WRITE)
            if (signal_notes := notes()) is not None:
                ready.register(signal_notes, selectors.EVENT_READ)
            while self._open and not self._ended():
                checkpoint()
                left_s = deadline - monotonic()
                if left_s <= 0:
                    raise TimeoutError("the command took too long")
                active = ready.select(min(left_s, TICK_S))
                for key, _ in active:
                    if key.fd != signal_notes:
                        self._move(ready, key.fd)
                if not active and self._on_output:
                    self._on_output(b"")

    def _ended(self) -> bool:
        """Whether the child has ended and its output is read; its own children may keep the pipes open for ever."""
        if self._child.poll() is None:
            return False
        for fd in tuple(self._open):
            while await_ready(fd, select.POLLIN, 0.0) and self._take(fd):
                pass
        return True

    def _move(self, ready: selectors.BaseSelector, fd: int) -> None:
        if fd not in self._open:
            self._feed(ready)
        elif not self._take(fd):
            ready.unregister(fd)
            del self._open[fd]

    def _feed(self, ready: selectors.BaseSelector) -> None:
        try:
            self._left = self._left[os.write(self._child.stdin, self._left) :] if self._left else self._left
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._left = memoryview(b"")
        if not self._left:
            ready.unregister(self._child.stdin)
            if not self._hold:
                self._child.close_stdin()

    def _take(self, fd: int) -> bool:
        """Reads the available output. Whether the stream goes on."""
        try:
            data = os.read(fd, PIPE_BYTES)
        except BlockingIOError:
            return True
        kept = self._open[fd]
        kept += data
        del kept[: -self.keep_bytes]
        if data and self._on_output:
            self._on_output(data)
        return bool(data)


def is_installed(program: str) -> bool:
    """Whether the program is on this machine's PATH."""
    return any(os.access(Path(folder) / program, os.X_OK) for folder in os.get_exec_path(environment.of_child()))


def _enlarge_pipe(fd: int) -> None:
    """Enlarges the pipe, which halves the system calls of a bulk transfer. Linux only; a refusal does not matter."""
    number = getattr(fcntl, "F_SETPIPE_SZ", None)
    if number is not None:
        with suppress(OSError):
            fcntl.fcntl(fd, number, PIPE_BYTES)
