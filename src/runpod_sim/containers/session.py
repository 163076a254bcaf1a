"""One SSH session: a process in the container, wired to the channel. Knows asyncssh; knows no pods."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, cast

import asyncssh

from .children import Channel, Child, TerminalChild
from .forwarding import agent_path
from .sandbox import Container

SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
"""Where systems have OpenSSH's SFTP server."""
SHELL = shutil.which("bash", path="/bin:/usr/bin") or "/bin/sh"
SESSION_ENV = {
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": SHELL,
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


class Session(asyncssh.SSHServerSession[bytes]):
    """Runs the client's command or shell, without PID 1's environment, as sshd does."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._argv: list[str] = []
        self._own: list[str] = []
        """A program of the simulator that enters the container by itself."""
        self._task: asyncio.Task[None] | None = None
        self._child: Child | None = None
        # Input that came before the process started; never more than the channel's window.
        self._early: list[bytes] = []
        self._input_ended = self._ended = False

    def connection_made(self, chan: Channel) -> None:
        self._channel = chan
        # asyncssh knows no "end of write" of OpenSSH, but looks for a handler by this name.
        chan._process_eow_at_openssh_dot_com_request = self._reader_gone  # type: ignore[attr-defined]

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        return True

    def shell_requested(self) -> bool:
        self._argv = ["/bin/sh", "-c", 'cd; exec "$SHELL" -l']
        return True

    def exec_requested(self, command: str) -> bool:
        self._argv = ["/bin/sh", "-c", 'cd; exec "${SHELL##*/}" -c "$0"', command]
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        if subsystem != "sftp":
            return False
        root = Path(f"/proc/{self._container.pid}/root")
        server = next((path for path in SFTP_SERVERS if (root / path[1:]).exists()), None)
        if server:
            return self.exec_requested(f"exec {server}")
        self._own = [sys.executable, "-m", "runpod_sim.containers.sftp", json.dumps(self._container.spaces())]
        return True

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

    def _reader_gone(self, packet: asyncssh.packet.SSHPacket) -> bool:
        """The client reads no more output: as with a pipe, the process learns it when it writes."""
        packet.check_end()
        if self._child is not None:
            self._child.close_output()
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
        self._ended = True
        # As sshd: the process is not killed, it only loses its input and output.
        if self._child is not None:
            self._child.detach()

    def has_ended(self) -> bool:
        """Whether the channel is closed."""
        return self._ended

    async def _start(self) -> None:
        terminal = self._channel.get_terminal_type()
        env = SESSION_ENV | self._connection_env() | ({"TERM": terminal} if terminal else {})
        if agent := await agent_path(self._connection(), self._container):
            env["SSH_AUTH_SOCK"] = agent
        argv = self._own or [*self._container.entry(), *self._argv]
        if self._own:
            env = dict(os.environ)
        child = (TerminalChild if terminal else Child)(self._channel, self._container)
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
