"""A wire with a round trip time, for benches: it stands before the simulator's API and the SSH ports of its pods.

Every byte waits for half a round trip on its way, and a new connection for a whole one, as between two machines. The
API's answers name a port of this wire in place of the pod's. It counts turns: how often a client speaks after the
server has. Knows TCP and the two places in the API's answers where a port is; knows no client.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PIECE_BYTES = 1 << 16
REQUEST = re.compile(rb"(GET|POST|DELETE|PATCH) (\S+) HTTP/")
# A pod's port and ours are both of the range for passing ports, so that an answer keeps its length.
PORT = re.compile(rb'(?<="host": "127\.0\.0\.1", "port": )\d{5}|(?<="public": )\d{5}(?=, "type": "tcp")')

Change = Callable[[bytes], bytes]


@dataclass
class Seen:
    """What went over the wire since the last `take`."""

    turns: Counter[str] = field(default_factory=Counter)
    """By `api` and `ssh`."""
    connections: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[float, str]] = field(default_factory=list)
    """When each request reached the API, by the clock of the wire, and its method and path."""

    def first(self, pattern: str) -> float:
        """When the first such request reached the API. Raises StopIteration if there was none."""
        return next(at for at, request in self.requests if re.match(pattern, request))


class SlowWire:
    """A running wire to one API; `url` is its own address. Ends with its process."""

    def __init__(self, api_url: str) -> None:
        self.rtt_s = 0.0
        self.seen = Seen()
        self._ports: dict[bytes, bytes] = {}
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        there = urlsplit(api_url)
        assert there.hostname and there.port
        self.url = f"http://127.0.0.1:{self._listen('api', there.hostname, there.port)}"

    def take(self) -> Seen:
        """What went over the wire since the last call."""
        seen, self.seen = self.seen, Seen()
        return seen

    def _listen(self, kind: str, host: str, port: int) -> int:
        """The port that leads there from now on."""
        listener = socket.create_server(("127.0.0.1", 0))

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connect(kind, host, port, reader, writer)

        self._loop.call_soon_threadsafe(self._start, asyncio.start_server(accept, sock=listener))
        return int(listener.getsockname()[1])

    def _start(self, serving: Awaitable[asyncio.Server]) -> None:
        async def serve() -> None:
            await (await serving).serve_forever()

        self._tasks.add(self._loop.create_task(serve()))

    async def _connect(
        self, kind: str, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.seen.connections[kind] += 1
        ready_at = self._loop.time() + self.rtt_s
        try:
            there, to_there = await asyncio.open_connection(host, port)
        except OSError:
            writer.close()
            return
        last = ["server"]

        def asked(data: bytes) -> bytes:
            self.seen.turns[kind] += last[0] == "server"
            last[0] = "client"
            if kind == "api" and (request := REQUEST.match(data)):
                reaches_at = max(self._loop.time(), ready_at) + self.rtt_s / 2
                self.seen.requests.append((reaches_at, b" ".join(request.groups()).decode()))
            return data

        def answered(data: bytes) -> bytes:
            last[0] = "server"
            return PORT.sub(lambda found: self._port_for(found[0]), data) if kind == "api" else data

        await asyncio.gather(
            self._carry(reader, to_there, ready_at, asked), self._carry(there, writer, ready_at, answered)
        )

    def _port_for(self, pod_port: bytes) -> bytes:
        """The digits of our port that leads to the pod's."""
        if pod_port not in self._ports:
            self._ports[pod_port] = b"%d" % self._listen("ssh", "127.0.0.1", int(pod_port))
        return self._ports[pod_port]

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, ready_at: float, change: Change
    ) -> None:
        """Every byte of the source has reached the sink, half a round trip after it came."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.create_task(self._arrive(under_way, sink))
        data = b"-"
        while data:
            try:
                data = await source.read(PIECE_BYTES)
            except OSError:
                data = b""
            due_at = max(self._loop.time(), ready_at) + self.rtt_s / 2
            under_way.put_nowait((due_at, change(data) if data else b""))
        await arriving

    async def _arrive(self, under_way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        while True:
            due_at, data = await under_way.get()
            await asyncio.sleep(due_at - self._loop.time())
            try:
                if not data:
                    sink.close()
                    return
                sink.write(data)
                await sink.drain()
            except OSError:
                return
