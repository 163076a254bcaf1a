"""Calls through a proxy on this machine: tunnelled, with its login, and with its refusals in words."""

from __future__ import annotations

import socket

import pytest

from runpod_deploy.cloud.runpod.calls import Call
from runpod_deploy.cloud.runpod.pace import Pace
from runpod_deploy.cloud.runpod.wire import Wire
from runpod_deploy.errors import CloudUnreachable
from runpod_deploy.scans.registry import Image, ask
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.sockets import server_that

ORIGIN = "https://api.example.test"
GET = Call(method="GET", path="/v2/pods/p", what="look at pod p")


class RefusingProxy:
    """A proxy that reads one request and refuses it."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        self.requests.append(connection.recv(1 << 16))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def test_the_api_is_reached_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = RefusingProxy()
    with server_that(proxy) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass@127.0.0.1:{port}")
        wire = Wire("rpa_secret", ORIGIN, FakeClock(), Pace(FakeClock(), None), None)
        with pytest.raises(CloudUnreachable) as caught:
            wire.send(GET)
    assert proxy.requests[0].startswith(b"CONNECT api.example.test:443 ")
    assert b"Basic bWU6cGFzcw==" in proxy.requests[0]
    assert not any(b"rpa_secret" in request for request in proxy.requests)
    assert "the proxy that HTTPS_PROXY names cannot be used" in caught.value.message
    assert "407" in caught.value.message and "NO_PROXY" in caught.value.hint


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = RefusingProxy()
    with server_that(proxy) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "example.test")
        wire = Wire("rpa_secret", ORIGIN, FakeClock(), Pace(FakeClock(), None), None)
        with pytest.raises(CloudUnreachable):
            wire.send(GET)
    assert proxy.requests == []


def test_the_image_registry_is_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = RefusingProxy()
    with server_that(proxy) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert "could not be reached" in str(ask("https://hub.example.test", Image("docker.io", "a/b", "1")))
    assert proxy.requests[0].startswith(b"CONNECT hub.example.test:443 ")
