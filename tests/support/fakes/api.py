"""A loopback HTTP server with scripted answers, for those that no healthy API gives. Knows sockets; knows no API."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One scripted answer."""

    status: int = 200
    body: Any = None
    """An object is sent as JSON, bytes as they are."""
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    reset: bool = False
    """Read the request, then break the connection without an answer."""
    torn: bool = False
    """Break the connection in the middle of the answer."""
    stays_open_s: float = 0.0
    """After the body, keep the connection open and silent, as if more were to come."""
    drip_s: float = 0.0
    """Send the body a byte at a time, with a pause of so many seconds after each."""


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, from JSON."""
        return json.loads(self.body)


class Api:
    """Answers requests in order from the script; the last line of the script is repeated."""

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.received: list[Received] = []
        self.url = ""
        self._lock = threading.Lock()

    def replies(self, *lines: Reply) -> None:
        """The script from now on; earlier requests are forgotten."""
        self.script, self.received = list(lines), []

    def next_line(self, request: Received) -> Reply:
        """The answer to this request."""
        with self._lock:
            self.received.append(request)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def scripted_api() -> Iterator[Api]:
    """A server that runs until the block ends."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
            pass

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = api.next_line(Received(self.command, self.path, headers, body))
            time.sleep(reply.after_s)
            if reply.reset:
                # SO_LINGER 0 makes the close a RST: the client cannot mistake it for an empty answer.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            raw = isinstance(reply.body, bytes)
            payload = reply.body if raw else b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            more_to_come = reply.torn or reply.stays_open_s > 0
            self.send_header("Content-Length", str(len(payload) + (10 if more_to_come else 0)))
            self.end_headers()
            if reply.drip_s:
                self._drip(payload, reply.drip_s)
            else:
                self.wfile.write(payload)
            time.sleep(reply.stays_open_s)
            self.close_connection = self.close_connection or more_to_come

        def _drip(self, payload: bytes, pause_s: float) -> None:
            for byte in payload:
                self.wfile.write(bytes([byte]))
                time.sleep(pause_s)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                # A client may disconnect at any time.
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def problem(status: int, detail: str, **more: Any) -> Reply:
    """An error in the API's format."""
    body = {"title": "Problem", "status": status, "detail": detail, **more}
    return Reply(status, body, headers={"Content-Type": "application/problem+json"})


def pod_row(**changes: Any) -> dict[str, Any]:
    """A running pod as the API describes it; recorded on the live service on 2026-08-20, shortened."""
    row = {
        "id": "5xpma5eg46tqjq",
        "name": "probe",
        "status": "RUNNING",
        "image": "runpod/pytorch:1.0.7-cu1281-torch291-ubuntu2204",
        "cloud": "SECURE",
        "cost": 0.72,
        "createdAt": "2026-08-20T06:16:19.436Z",
        "startedAt": "2026-08-20T06:16:19.43Z",
        "dataCenterId": "EU-RO-1",
        "disk": 30,
        "env": {"PUBLIC_KEY": "ssh-ed25519 AAAA"},
        "gpu": {"count": 1, "id": "NVIDIA RTX PRO 4500 Blackwell"},
        "mounts": {"network": [{"path": "/workspace", "volumeId": "grvtso8ftn"}]},
        "runtime": {
            "uptime": 3,
            "ports": [
                {"ip": "213.173.104.74", "private": 22, "public": 35558, "type": "tcp"},
                {"ip": "100.65.14.155", "private": 19123, "public": 60821, "type": "http"},
            ],
        },
        "ssh": {"direct": {"host": "213.173.104.74", "port": 35558, "username": "root"}, "proxy": None},
    }
    return row | changes
