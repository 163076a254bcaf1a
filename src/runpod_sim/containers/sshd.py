"""One pod's SSH server. Knows asyncssh, containers and how connections can go wrong; knows no API."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from .forwarding import from_path, from_port, to_path, to_port
from .ports import Port
from .sandbox import Container
from .session import Session

# Fast in Python (one call for cipher and MAC); the counter modes are for clients that know no better.
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr")
# That of the official images on Ubuntu 22.04. OpenSSH's client does without some messages if the server is another.
VERSION = "OpenSSH_8.9p1 Ubuntu-3ubuntu0.13"
# sshd's limits: sessions in a connection; and connections before the key, with the share of new ones that is dropped.
MAX_SESSIONS = 10
MAX_STARTUPS = (10, 0.3, 100)
WINDOW_BYTES = 16 << 20
PACKET_BYTES = 256 << 10


@dataclass(slots=True)
class SshFaults:
    """To how many of the next connections each fault still applies."""

    refuse: int = 0
    hang: int = 0
    refuse_key: int = 0
    drop: int = 0
    drop_after_bytes: int = 0
    true_key_first: int | None = None
    """After so many connections another host key is shown; None: never."""


@dataclass(slots=True)
class Sshd:
    """Listens on a port of its own while the container runs; every session is a process in the container."""

    keys_path: Path
    """The pod's authorized_keys."""
    faults: SshFaults = field(default_factory=SshFaults)
    port: Port = field(default_factory=Port)
    container: Container | None = None
    unknown: int = 0
    """How many connected clients have not proved yet who they are."""
    host_keys: list[asyncssh.SSHKey] = field(default_factory=lambda: new_host_keys())
    _socket: socket.socket | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    _options: asyncssh.SSHServerConnectionOptions | None = None

    def listen(self, container: Container) -> None:
        """Clients are answered from now on."""
        self.container = container
        self._socket = self.port.listen()
        self._spawn(self._accept(self._socket))

    def new_host_key(self) -> None:
        """The next connections see another host key: the container disk is new."""
        self.host_keys = new_host_keys()
        self._options = None

    def drop(self) -> int:
        """The number of connections that were cut, without notice to the client."""
        count = len(self._connections)
        for connection in list(self._connections):
            connection.abort()
        return count

    def close(self) -> None:
        """Nothing listens and no connection is left; the port stays reserved."""
        for task in list(self._tasks):
            task.cancel()
        self.drop()
        if self._socket is not None:
            # The accepting task would remove its reader later, when the descriptor may belong to another file.
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listening)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._spawn(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        faults = self.faults
        if is_dropped(self.unknown):
            client.close()
            return
        if faults.refuse > 0:
            faults.refuse -= 1
            reset(client)
            return
        if faults.hang > 0:
            faults.hang -= 1
            with contextlib.closing(client):
                await asyncio.sleep(3600)
        if faults.drop > 0:
            client = self._cut_after(client)
        if faults.true_key_first is not None:
            if faults.true_key_first <= 0:
                self.new_host_key()
                faults.true_key_first = None
            else:
                faults.true_key_first -= 1
        # A client may disconnect in the middle of the handshake.
        with contextlib.suppress(OSError, asyncssh.Error):
            await asyncssh.run_server(client, options=self._ready_options())

    def _cut_after(self, client: socket.socket) -> socket.socket:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs, client):
            end.setblocking(False)
        self._spawn(self._relay(client, ours))
        return theirs

    async def _relay(self, client: socket.socket, server: socket.socket) -> None:
        left = [self.faults.drop_after_bytes]
        pumps = [asyncio.create_task(_pump(*ends, left)) for ends in ((client, server), (server, client))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)
            # Only a connection that was really cut counts.
            self.faults.drop -= left[0] <= 0
            reset(client)
            server.close()

    def _ready_options(self) -> asyncssh.SSHServerConnectionOptions:
        if self._options is None:
            self._options = asyncssh.SSHServerConnectionOptions(
                server_factory=lambda: _Authenticator(self),
                server_host_keys=self.host_keys,
                encoding=None,
                line_editor=False,
                encryption_algs=CIPHERS,
                compression_algs=None,
                window=WINDOW_BYTES,
                max_pktsize=PACKET_BYTES,
                login_timeout=60,
                kbdint_auth=False,
                server_version=VERSION,
            )
        return self._options

    def session(self) -> Session:
        """A session in the container that runs now."""
        assert self.container is not None
        return Session(self.container)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Authenticator(asyncssh.SSHServer):
    """Lets in root with a key of the pod's authorized_keys, and nobody else."""

    def __init__(self, sshd: Sshd) -> None:
        self._sshd = sshd
        self._sessions: list[Session] = []
        self._is_known = False
        """Whether the client has proved who it is."""
        sshd.unknown += 1
        self._refuses = sshd.faults.refuse_key > 0
        if self._refuses:
            sshd.faults.refuse_key -= 1

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._sshd._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sshd._connections.discard(self._connection)
        self._sshd.unknown -= not self._is_known

    def begin_auth(self, username: str) -> bool:
        # asyncssh compares the keys, and carries out the options that a line may begin with.
        keys = authorized_keys(self._sshd.keys_path)
        if keys is not None and username == "root" and not self._refuses:
            self._connection.set_authorized_keys(keys)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        # The images' sshd asks for passwords, but nobody has one.
        return False

    def auth_completed(self) -> None:
        self._sshd.unknown -= 1
        self._is_known = True

    def session_requested(self) -> Session:
        self._sessions = [session for session in self._sessions if not session.has_ended()]
        if len(self._sessions) >= MAX_SESSIONS:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        self._sessions.append(self._sshd.session())
        return self._sessions[-1]

    # What can be forwarded, as by sshd: the pod's ports and sockets, in both directions.

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> Any:
        return to_port(self._container(), dest_host, dest_port)

    def unix_connection_requested(self, dest_path: str) -> Any:
        return to_path(self._container(), dest_path)

    def server_requested(self, listen_host: str, listen_port: int) -> Any:
        return from_port(self._connection, self._container(), listen_host, listen_port)

    def unix_server_requested(self, listen_path: str) -> Any:
        return from_path(self._connection, self._container(), listen_path)

    def _container(self) -> Container:
        assert self._sshd.container is not None
        return self._sshd.container


def new_host_keys() -> list[asyncssh.SSHKey]:
    """New host keys of the usual kinds but RSA, which takes too long to make for pods that live for a second."""
    return [asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256")]


def is_dropped(unknown: int) -> bool:
    """Whether a new connection is closed at once, while so many clients have not proved who they are: MaxStartups."""
    first, share, full = MAX_STARTUPS
    if unknown < first:
        return False
    return random.random() < share + (1 - share) * (unknown - first) / (full - first)


def authorized_keys(path: Path) -> asyncssh.SSHAuthorizedKeys | None:
    """The keys of an authorized_keys file with their options; None without any. Other lines are ignored, as by sshd."""
    with contextlib.suppress(OSError):
        lines = path.read_text(errors="replace").splitlines()
        return asyncssh.import_authorized_keys("\n".join(filter(_is_key, lines))) if any(map(_is_key, lines)) else None
    return None


def _is_key(line: str) -> bool:
    with contextlib.suppress(asyncssh.KeyImportError, ValueError):
        asyncssh.import_authorized_keys(line)
        return True
    return False


def reset(client: socket.socket) -> None:
    """The connection is closed with a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


async def _pump(source: socket.socket, sink: socket.socket, left: list[int]) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while left[0] > 0 and (data := await loop.sock_recv(source, min(65536, left[0]))):
            left[0] -= len(data)
            await loop.sock_sendall(sink, data)
