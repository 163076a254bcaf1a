"""SSH forwarding to and from the inside of a pod, as OpenSSH's server does it. Knows asyncssh and containers."""

from __future__ import annotations

import asyncio
import secrets
import socket
from typing import Any

import asyncssh
from asyncssh.forward import SSHForwarder, SSHLocalPathForwarder, SSHLocalPortForwarder
from asyncssh.listener import SSHForwardListener

from .sandbox import Container

LOOPBACK = "127.0.0.1"
Connection = asyncssh.SSHServerConnection


async def to_port(container: Container, host: str, port: int) -> SSHForwarder:
    """A session that is connected to an address, as seen in the pod. Raises ChannelOpenError."""
    try:
        return await _joined(await container.connect(host or LOOPBACK, port))
    except OSError as error:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, str(error)) from None


async def to_path(container: Container, path: str) -> SSHForwarder:
    """A session that is connected to a socket in the pod's files. Raises ChannelOpenError."""
    try:
        return await _joined(await container.connect_path(path))
    except OSError as error:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, str(error)) from None


async def _joined(connected: socket.socket) -> SSHForwarder:
    _, peer = await asyncio.get_running_loop().create_connection(SSHForwarder, sock=connected)
    return SSHForwarder(peer)


async def from_port(connection: Connection, container: Container, host: str, port: int) -> asyncssh.SSHListener:
    """Listens on the pod's loopback for the client, whatever address it names. Raises OSError."""
    listening = await container.listen(LOOPBACK, port)
    port = port or listening.getsockname()[1]

    async def open_channel(factory: Any, *origin: Any) -> Any:
        return await connection.create_connection(factory, host, port, *origin)

    made = await asyncio.get_running_loop().create_server(
        lambda: SSHLocalPortForwarder(connection, open_channel), sock=listening
    )
    return SSHForwardListener(connection, [made], (host, port), port)


async def from_path(connection: Connection, container: Container, path: str) -> asyncssh.SSHListener:
    """Listens at a path in the pod for the client. Raises OSError."""
    listening = await container.listen_path(path)

    async def open_channel(factory: Any, *_: Any) -> Any:
        return await connection.create_unix_connection(factory, path)

    made = await asyncio.get_running_loop().create_unix_server(
        lambda: SSHLocalPathForwarder(connection, open_channel), sock=listening
    )
    return SSHForwardListener(connection, [made], path)


async def agent_path(connection: Connection, container: Container) -> str | None:
    """Where programs in the pod reach the client's agent; None without one."""
    ours = connection.get_agent_path()
    if ours is None:
        return None
    path = f"/tmp/ssh-{secrets.token_urlsafe(8)}/agent.{container.pid}"
    try:
        container.serve_inside(await container.listen_path(path, in_new_folder=True), ours)
    except OSError:
        return None
    return path
