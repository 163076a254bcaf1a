"""One SSH session: a process in the container, wired to the channel. Knows asyncssh; knows no pods."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import struct
import termios
from collections.abc import Callable
from typing import Any, cast

import asyncssh

from .forwarding import agent_path
from .sandbox import Container

SFTP_SERVER = "exec /usr/lib/openssh/sftp-server"
SHELL = shutil.which("bash", path="/bin:/usr/bin") or "/bin/sh"
SESSION_ENV = {
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": SHELL,
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
Channel = asyncssh.SSHServerChannel[bytes]


class Session(asyncssh.SSHServerSession[bytes]):
    """Runs the client's command or shell, without PID 1's environment, as sshd does."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._argv: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._child: Child | None = None
        # Input that came before the process started; never more than the channel's window.
        self._early: list[bytes] = []
        self._input_ended = False

    def connection_made(self, chan: Channel) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        return True

    def shell_requested(self) -> bool:
        self._argv = ["/bin/sh", "-c", 'cd; exec "$SHELL" -l']
        return True

    def exec_requested(self, command: str) -> bool:
        self._argv = ["/bin/sh", "-c", 'cd; exec "$SHELL" -c "$0"', command]
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp" and self.exec_requested(SFTP_SERVER)

    def session_started(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._start())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._child is None:
            self._early.append(data)
        else:
            self._child.feed(data)

    def eof_received(self) -> bool:
        self._input_ended = True
        if self._child is not None:
            self._child.feed_eof()
        return True

    def pause_writing(self) -> None:
        if self._child is not None:
            self._child.hold(True)

    def resume_writing(self) -> None:
        if self._child is not None:
            self._child.hold(False)

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        if isinstance(self._child, TerminalChild):
            self._child.resize(width, height)

    def connection_lost(self, exc: Exception | None) -> None:
        # As sshd: the process is not killed, it only loses its input and output.
        if self._child is not None:
            self._child.detach()

    async def _start(self) -> None:
        terminal = self._channel.get_terminal_type()
        env = SESSION_ENV | self._connection_env() | ({"TERM": terminal} if terminal else {})
        if agent := await agent_path(self._connection(), self._container):
            env["SSH_AUTH_SOCK"] = agent
        argv = [*self._container.entry(), *self._argv]
        child = (TerminalChild if terminal else Child)(self._channel, self._container.is_up)
        try:
            await child.start(argv, env)
        except OSError:
            self._channel.exit(127)
            return
        self._child = child
        child.feed(b"".join(self._early))
        self._early.clear()
        if self._input_ended:
            child.feed_eof()
        if self._channel.is_closing():
            child.detach()

    def _connection(self) -> asyncssh.SSHServerConnection:
        return cast(asyncssh.SSHServerConnection, self._channel.get_connection())

    def _connection_env(self) -> dict[str, str]:
        peer = self._channel.get_extra_info("peername") or ("127.0.0.1", 0)
        here = self._channel.get_extra_info("sockname") or ("127.0.0.1", 0)
        sent = {k: v for k, v in self._channel.get_environment().items() if k == "LANG" or k.startswith("LC_")}
        return sent | {
            "SSH_CLIENT": f"{peer[0]} {peer[1]} {here[1]}",
            "SSH_CONNECTION": f"{peer[0]} {peer[1]} {here[0]} {here[1]}",
        }


class Child(asyncio.SubprocessProtocol):
    """A process piped to the channel; as in sshd, its exit is reported once all of its output is closed."""

    outputs = frozenset({1, 2})

    def __init__(self, channel: Channel, is_up: Callable[[], bool]) -> None:
        self._channel, self._is_up = channel, is_up
        self._ended: set[int] = set()
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None

    async def start(self, argv: list[str], env: dict[str, str]) -> None:
        """The process runs. Raises OSError."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.subprocess_exec(lambda: self, *argv, env=env)
        self._transport = transport
        self._stdin = cast(asyncio.WriteTransport, transport.get_pipe_transport(0))

    def feed(self, data: bytes) -> None:
        """The process gets these bytes."""
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write(data)

    def feed_eof(self) -> None:
        """The process reads the end of its input."""
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write_eof()

    def hold(self, full: bool) -> None:
        """Output is read only while the client can take it."""
        for fd in self.outputs - self._ended:
            pipe = cast(asyncio.ReadTransport, self._transport and self._transport.get_pipe_transport(fd))
            if pipe is not None and not pipe.is_closing():
                (pipe.pause_reading if full else pipe.resume_reading)()

    def detach(self) -> None:
        """No pipe to the process is left."""
        for fd in (0, 1, 2):
            pipe = self._transport and self._transport.get_pipe_transport(fd)
            if pipe is not None:
                pipe.close()

    # Callbacks from asyncio.

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if not self._channel.is_closing():
            self._channel.write(data, asyncssh.EXTENDED_DATA_STDERR if fd == 2 else None)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._ended.add(fd)
        self._report_exit()

    def pause_writing(self) -> None:
        self._channel.pause_reading()

    def resume_writing(self) -> None:
        # Not at once: the pipe calls this in the middle of its own work, and resuming may end the input.
        asyncio.get_running_loop().call_soon(self._channel.resume_reading)

    def process_exited(self) -> None:
        self._report_exit()

    def _report_exit(self) -> None:
        status = None if self._transport is None else self._transport.get_returncode()
        if status is None or not self.outputs <= self._ended or self._channel.is_closing():
            return
        if status and not self._is_up():
            # In a real pod sshd dies with the container, so that the connection breaks without an exit status.
            self._channel.get_connection().abort()
        elif status < 0:
            self._channel.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            self._channel.exit(status)


class TerminalChild(Child):
    """A process on a terminal of its own."""

    outputs = frozenset({1})

    async def start(self, argv: list[str], env: dict[str, str]) -> None:
        """The process runs on the terminal. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._ours, theirs = os.openpty()
        width, height, *_ = self._channel.get_terminal_size()
        self.resize(width, height)
        transport, _ = await loop.subprocess_exec(
            lambda: self,
            "setsid",
            "--ctty",
            "--wait",
            *argv,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._transport = transport
        self._reader, _ = await loop.connect_read_pipe(lambda: _Screen(self), os.fdopen(self._ours, "rb", 0))
        self._stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(os.dup(self._ours), "wb", 0))

    def feed_eof(self) -> None:
        """The process reads Ctrl-D, which is the end of input on a terminal."""
        self.feed(b"\x04")

    def hold(self, full: bool) -> None:
        """Output is read only while the client can take it."""
        if not self._reader.is_closing():
            (self._reader.pause_reading if full else self._reader.resume_reading)()

    def detach(self) -> None:
        """The terminal is closed, so its process gets SIGHUP."""
        self._reader.close()
        if self._stdin is not None:
            self._stdin.close()

    def resize(self, width: int, height: int) -> None:
        """The terminal has this size."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height or 24, width or 80, 0, 0))


class _Screen(asyncio.Protocol):
    """The output of a process on its terminal."""

    def __init__(self, child: TerminalChild) -> None:
        self._child = child

    def data_received(self, data: bytes) -> None:
        self._child.pipe_data_received(1, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._child.pipe_connection_lost(1, exc)
