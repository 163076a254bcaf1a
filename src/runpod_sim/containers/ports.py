"""The machine's ports that lead to the ports of one pod. Knows sockets and containers; knows no SSH and no API."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from .sandbox import ADDRESS, Container
from .sockets import relay

HOST = "127.0.0.1"
LOOK_EVERY_S = 0.1
LISTENING = "0A"
SSH = "22/tcp"
REACHABLE = {0, int.from_bytes(socket.inet_aton(ADDRESS), "little")}
"""The local addresses of sockets that can be reached from outside, as /proc shows them: any, and the pod's own."""


class Port:
    """A port of the machine's loopback that belongs to one pod, also while nothing listens on it."""

    def __init__(self) -> None:
        self.number = 0
        self._reserved: socket.socket | None = None

    def reserve(self) -> int:
        """The port, taken and not yet listening: a client is refused."""
        if self._reserved is None:
            self._reserved = socket.socket()
            self._reserved.bind((HOST, self.number))
            # Only after the bind, so that a free port is one that no other socket shares.
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self.number = self._reserved.getsockname()[1]
        return self.number

    def renew(self) -> None:
        """The port is another one; the former is free for others."""
        former, self._reserved, self.number = self._reserved, None, 0
        self.reserve()
        if former is not None:
            former.close()

    def release(self) -> None:
        """The port is free for others: the pod has ended."""
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def listen(self) -> socket.socket:
        """A socket that listens on it."""
        made = socket.socket()
        # It shares the port with the reserving socket, old connections in TIME_WAIT notwithstanding.
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        made.setblocking(False)
        made.bind((HOST, self.reserve()))
        made.listen(128)
        return made


class PublicPorts:
    """The ports that the pod's spec names, such as 8888/http, each with a port of the machine."""

    def __init__(self, ssh: Port) -> None:
        self.ssh = ssh
        """The port that leads to 22/tcp, which belongs to the SSH server."""
        self.ports: dict[str, Port] = {}

    def reserve(self, texts: Iterable[str]) -> dict[str, int]:
        """The machine's port of each."""
        for text in texts:
            self.ports.setdefault(text, self.ssh if text == SSH else Port())
        return {text: self.ports[text].reserve() for text in texts}

    def release(self) -> None:
        """The machine's ports are free for others."""
        for port in self.ports.values():
            if port is not self.ssh:
                port.release()
        self.ports.clear()

    async def follow(self, container: Container, answered: Callable[[str], bool]) -> None:
        """Until cancelled, each machine's port listens as long as the pod does, unless somebody else answers there."""
        open_now: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while self.ports:
                ours = {text for text in self.ports if not answered(text)}
                inside = listening_ports(container.pid) if ours else set()
                for text, port in self.ports.items():
                    wanted = text in ours and private(text) in inside
                    if wanted and text not in open_now:
                        open_now[text] = tasks.create_task(_accept(port, container, private(text), tasks))
                    elif text in open_now and not wanted:
                        open_now.pop(text).cancel()
                await asyncio.sleep(LOOK_EVERY_S)


async def _accept(port: Port, container: Container, inside: int, tasks: asyncio.TaskGroup) -> None:
    loop = asyncio.get_running_loop()
    with port.listen() as listening:
        while True:
            client, _ = await loop.sock_accept(listening)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tasks.create_task(_join(client, container, inside))


async def _join(client: socket.socket, container: Container, inside: int) -> None:
    with contextlib.closing(client), contextlib.suppress(OSError):
        await relay(client, await container.connect(ADDRESS, inside))


def private(text: str) -> int:
    """The pod's own port of 8888/http."""
    return int(text.partition("/")[0])


def listening_ports(pid: int) -> set[int]:
    """The ports that can be reached from outside in the network of this process."""
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                address, _, port = local.partition(":")
                if state == LISTENING and int(address, 16) in REACHABLE:
                    found.add(int(port, 16))
    return found
