"""A process in a container, wired to an SSH channel through pipes or a terminal. Knows asyncssh; knows no pods."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from typing import cast

import asyncssh

from .sandbox import Container
from .socket_helper import TIOCGPTN

Channel = asyncssh.SSHServerChannel[bytes]


class Child(asyncio.SubprocessProtocol):
    """A process piped to the channel; as in sshd, its exit is reported once all of its output is closed."""

    outputs = frozenset({1, 2})

    def __init__(self, channel: Channel, container: Container) -> None:
        self._channel, self._container = channel, container
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
        self._close(0, 1, 2)

    def close_output(self) -> None:
        """Nobody reads the process's output any more; its errors are still read."""
        self._close(1)

    def _close(self, *numbers: int) -> None:
        for fd in numbers:
            pipe = self._transport and self._transport.get_pipe_transport(fd)
            if pipe is not None:
                pipe.close()

    # Callbacks from asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # The process has ended and its pipes are closed; without this asyncio warns of a transport that nobody closed.
        if self._transport is not None:
            self._transport.close()

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
        if status and not self._container.is_up():
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
        self._ours, theirs = await self._container.terminal()
        [number] = struct.unpack("i", fcntl.ioctl(self._ours, TIOCGPTN, bytes(4)))
        env["SSH_TTY"] = f"/dev/pts/{number}"
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
        """Nothing happens, as with sshd: there is no end of input on a terminal."""

    def hold(self, full: bool) -> None:
        """Output is read only while the client can take it."""
        if not self._reader.is_closing():
            (self._reader.pause_reading if full else self._reader.resume_reading)()

    def detach(self) -> None:
        """The terminal is closed, so its process gets SIGHUP."""
        self._reader.close()
        if self._stdin is not None:
            self._stdin.close()

    def close_output(self) -> None:
        """A terminal has one end only, so it stays."""

    def resize(self, width: int, height: int) -> None:
        """The terminal has this size."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


class _Screen(asyncio.Protocol):
    """The output of a process on its terminal."""

    def __init__(self, child: TerminalChild) -> None:
        self._child = child

    def data_received(self, data: bytes) -> None:
        self._child.pipe_data_received(1, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._child.pipe_connection_lost(1, exc)
