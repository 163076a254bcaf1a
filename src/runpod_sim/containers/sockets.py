"""Sockets inside pods, made by socket_helper.py. Knows that process; knows no SSH and no API."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

HELPER = Path(__file__).parent / "socket_helper.py"
MESSAGE_BYTES = 65536
MOST_FILES = 2


class Sockets:
    """Asks the helper process for sockets; it starts with the first request."""

    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[list[int]]] = {}
        self._ids = itertools.count()

    async def make(self, do: str, **request: Any) -> socket.socket:
        """The socket, which does not block. Raises OSError."""
        [descriptor] = await self.descriptors(do, **request)
        made = socket.socket(fileno=descriptor)
        made.setblocking(False)
        return made

    async def descriptors(self, do: str, **request: Any) -> list[int]:
        """The files that were made. Raises OSError."""
        link = await self._started()
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            # Each message is small, and a full queue of them would be a fault.
            link.send(json.dumps({"id": number, "do": do, **request}).encode())
            return await self._waiting[number]
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """The helper process has ended."""
        link, process, self._link, self._process = self._link, self._process, None, None
        if link is not None and process is not None:
            asyncio.get_running_loop().remove_reader(link)
            link.close()
            await process.wait()

    async def _started(self) -> socket.socket:
        async with self._starting:
            if self._link is None:
                self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self._link.setblocking(False)
                argv = (sys.executable, "-I", "-S", str(HELPER), str(theirs.fileno()))
                with theirs:
                    self._process = await asyncio.create_subprocess_exec(
                        *argv, stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
                    )
                asyncio.get_running_loop().add_reader(self._link, self._read)
            return self._link

    def _read(self) -> None:
        assert self._link is not None
        data, descriptors, *_ = socket.recv_fds(self._link, MESSAGE_BYTES, MOST_FILES)
        if not data:
            self._lost()
            return
        said = json.loads(data)
        waiting = self._waiting.get(said["id"])
        if waiting is None or waiting.done():
            for descriptor in descriptors:
                os.close(descriptor)
        elif descriptors:
            waiting.set_result(list(descriptors))
        else:
            waiting.set_exception(OSError(said["errno"], said["error"]))

    def _lost(self) -> None:
        assert self._link is not None
        asyncio.get_running_loop().remove_reader(self._link)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(OSError(0, "the helper process has ended"))


async def relay(one: socket.socket, other: socket.socket) -> None:
    """Bytes go in both directions until both ends have said that no more come; then both are closed."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pump(one, other))
            tasks.create_task(_pump(other, one))
    except* OSError:
        pass
    finally:
        one.close()
        other.close()


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, 1 << 18):
        await loop.sock_sendall(sink, data)
    sink.shutdown(socket.SHUT_WR)
