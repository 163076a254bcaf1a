"""Servers that hold or flood a call, and signals during every call: each ends in time, with an error of ours."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from runpod_deploy.cloud.runpod.calls import Answer, Call, json_object
from runpod_deploy.cloud.runpod.pace import Pace
from runpod_deploy.cloud.runpod.wire import Wire
from runpod_deploy.errors import AnswerUnclear, CloudUnreachable, DeployError, Interrupt
from runpod_deploy.machine.clock import SystemClock
from runpod_deploy.machine.limits import ANSWER_BYTES, ANSWER_VALUES
from runpod_deploy.machine.signals import Signals, checkpoint
from tests.support.fakes.api import Api, Reply, pod_row, problem
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.sockets import drips, says_nothing, server_that
from tests.support.shell_grounds import eventually

GET = Call(method="GET", path="/v2/pods/p", what="look at pod p")
POST = Call(method="POST", path="/v2/pods", what="create pod p", body={"name": "p"})
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"


class HastyWire(Wire):
    """A wire whose calls take half a second at most."""

    connect_timeout_s = 0.2
    read_timeouts_s = dict.fromkeys(("GET", "DELETE", "POST"), 0.3)


def wire_to(url: str) -> Wire:
    return HastyWire("key", url, clock := FakeClock(), Pace(clock, None), None)


def error_of_post(url: str) -> DeployError:
    """The error of a call that is sent once only."""
    with pytest.raises(DeployError) as caught:
        wire_to(url).send(POST)
    return caught.value


@contextmanager
def threads_end() -> Iterator[None]:
    """Every thread that the block has started has ended soon after it."""
    before = set(threading.enumerate())
    yield
    eventually(lambda: set(threading.enumerate()) <= before)


def test_a_server_that_never_answers_holds_no_call() -> None:
    with server_that(says_nothing) as port, threads_end():
        assert isinstance(error_of_post(f"http://127.0.0.1:{port}"), AnswerUnclear)


def test_a_server_that_never_finishes_the_tls_handshake_holds_no_call() -> None:
    with server_that(says_nothing) as port, threads_end():
        assert isinstance(error_of_post(f"https://127.0.0.1:{port}"), CloudUnreachable)


@pytest.mark.parametrize("data", [HEAD + b'{"id": "p"}' * 9, HEAD], ids=["body", "headers"])
def test_an_answer_that_comes_a_byte_at_a_time_holds_no_call(data: bytes) -> None:
    dripping = drips(data, 0.1) if data == HEAD else dripping_body
    with server_that(dripping) as port, threads_end():
        error = error_of_post(f"http://127.0.0.1:{port}")
    assert isinstance(error, AnswerUnclear) and "no answer in time" in error.message


def dripping_body(connection: socket.socket) -> None:
    """The headers at once, the body a byte at a time."""
    connection.recv(1 << 16)
    connection.sendall(HEAD)
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.1)


def test_an_answer_to_a_repeatable_call_that_drips_is_asked_for_again(api: Api) -> None:
    api.replies(Reply(200, pod_row(), drip_s=0.1), Reply(200, pod_row()))
    assert wire_to(api.url).send(GET).document == pod_row()


def test_a_name_that_nobody_resolves_holds_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_arguments: object, **_options: object) -> list[object]:
        released.wait(20)
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with threads_end():
        assert isinstance(error_of_post("https://api.invalid"), CloudUnreachable)
        released.set()


def test_a_process_without_room_for_a_thread_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    api.replies(Reply(200, pod_row()))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(CloudUnreachable):
        wire_to(api.url).send(GET)


def unfolding(megabytes: int) -> Reply:
    """An answer that is a thousand times larger than it looks."""
    body = gzip.compress(b'{"pods": [' + b" " * (megabytes << 20) + b"]}")
    return Reply(200, body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


HOSTILE: dict[str, Reply] = {
    "an answer that unfolds": unfolding(64),
    "an answer that is too long": Reply(200, b" " * (ANSWER_BYTES + 1)),
    "deep JSON": Reply(200, b'{"pods": ' + b"[" * 500_000),
    "deep JSON that is whole": Reply(200, b'{"pods": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "too many values": Reply(200, b'{"pods": [' + b"[]," * ANSWER_VALUES + b"[]]}"),
    "too many headers": Reply(200, pod_row(), headers={f"X-{number}": "x" for number in range(200)}),
    "a header that is too long": Reply(200, pod_row(), headers={"X": "x" * 100_000}),
    "no length that is one": Reply(200, b"{}", headers={"Transfer-Encoding": "chunked"}),
    "broken compression": Reply(200, b"{}", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_is_an_error_of_ours(api: Api, reply: Reply) -> None:
    api.replies(reply)
    with pytest.raises(CloudUnreachable):
        wire_to(api.url).send(GET)


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_error_is_an_error_of_ours(api: Api, reply: Reply) -> None:
    api.replies(Reply(404, reply.body, headers=reply.headers))
    with pytest.raises(DeployError) as caught:
        wire_to(api.url).send(POST)
    assert caught.value.kind != "internal" and len(caught.value.message) < 2000


@pytest.mark.parametrize(
    "text", ["1e999", "-1e999", "NaN", "Infinity", "9" * 400, "9" * 5000], ids=lambda text: text[:8]
)
def test_numbers_that_are_none_are_absent(text: str) -> None:
    assert json_object(f'{{"cost": {text}}}'.encode()) == {"cost": None}


@pytest.mark.parametrize("wait", ["inf", "1e999", "nan", "-5", "soon"])
def test_a_wait_without_an_end_is_none(wait: str) -> None:
    assert Answer(status=429, headers={"retry-after": wait}, body=b"").retry_after_s in (None, 0.0)


UNDER_A_LIMIT = """
import re, resource, sys
from pathlib import Path
from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.errors import CloudUnreachable
from runpod_deploy.machine.clock import SystemClock
cloud = RunPodCloud("key", sys.argv[1], SystemClock())
try:
    cloud.get("warm-up")
except CloudUnreachable:
    pass
most = 150 << 20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for act in (cloud.list_pods, lambda: cloud.logs("p", 10, 0.5)):
    try:
        act()
    except CloudUnreachable:
        pass
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) < 150_000)
"""


@pytest.mark.parametrize("name", ["an answer that unfolds", "too many values", "deep JSON"])
def test_hostile_answers_fit_into_little_memory(api: Api, name: str) -> None:
    api.replies(Reply(404, problem(404, "pod not found").body), HOSTILE[name])
    code = f"from runpod_deploy.cloud.runpod import wire; wire.RETRY_WINDOW_S = 0.1\n{UNDER_A_LIMIT}"
    done = subprocess.run([sys.executable, "-c", code, api.url], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")


LOG_LINE = b'data: {"ts": "1", "source": "system", "line": "x"}\n\n'


def dripping_log(connection: socket.socket) -> None:
    """One line at once, and then a byte at a time without an end."""
    connection.recv(1 << 16)
    connection.sendall(HEAD.replace(b"100", b"1000000") + LOG_LINE)
    while True:
        connection.sendall(b" ")
        time.sleep(0.01)


def test_a_log_that_drips_is_what_came_in_its_time() -> None:
    """The shortest time is enough, unless this machine is too busy for an answer within it."""
    found = b""
    with server_that(dripping_log) as port, threads_end():
        for within_s in (0.5, 5.0, 50.0):
            with suppress(CloudUnreachable):
                found = wire_to(f"http://127.0.0.1:{port}").stream(GET, quiet_s=60.0, within_s=within_s)
                break
    assert found.startswith(LOG_LINE)


def test_a_log_that_floods_is_cut_at_its_limit(api: Api) -> None:
    api.replies(HOSTILE["an answer that unfolds"])
    assert len(wire_to(api.url).stream(GET, quiet_s=1.0, within_s=30.0)) <= (8 << 20) + (1 << 17)


@contextmanager
def kicked_after(seconds: float) -> Iterator[None]:
    """A signal arrives while the block waits."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    yield
    timer.join()


class EndlessWire(Wire):
    """A wire that gives up long after the test has."""

    read_timeouts_s = dict.fromkeys(("GET", "DELETE", "POST"), 3600.0)


def real_wire(url: str) -> Wire:
    return EndlessWire("key", url, clock := SystemClock(), Pace(clock, None), None)


LEFT: dict[str, Callable[[Wire], object]] = {
    "GET": lambda wire: wire.send(GET),
    "DELETE": lambda wire: wire.send(Call(method="DELETE", path="/v2/pods/p", what="delete pod p")),
    "log": lambda wire: wire.stream(GET, quiet_s=3600.0, within_s=3600.0),
}


@pytest.mark.parametrize("act", LEFT.values(), ids=LEFT.keys())
def test_a_signal_leaves_a_call_that_can_be_repeated(act: Callable[[Wire], object]) -> None:
    """Without the signal the call would last longer than any test may."""
    with server_that(says_nothing) as port, threads_end():
        wire = real_wire(f"http://127.0.0.1:{port}")
        with Signals().installed(), kicked_after(0.2), pytest.raises(Interrupt):
            act(wire)


def test_a_signal_never_cuts_a_create(api: Api) -> None:
    api.replies(Reply(201, pod_row(), after_s=1.0))
    with Signals().installed():
        with kicked_after(0.2):
            assert real_wire(api.url).send(POST).document == pod_row()
        with pytest.raises(Interrupt):
            checkpoint()


def test_the_call_after_one_that_was_left_is_a_new_one(api: Api) -> None:
    api.replies(Reply(200, {"late": True}, after_s=1.0), Reply(200, {"late": False}))
    wire = real_wire(api.url)
    with Signals().installed(), kicked_after(0.2), pytest.raises(Interrupt):
        wire.send(GET)
    assert wire.send(GET).document == {"late": False}


def test_one_connection_serves_many_calls() -> None:
    connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        connections.append(connection)
        while connection.recv(1 << 16):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with server_that(answer) as port:
        wire = real_wire(f"http://127.0.0.1:{port}")
        assert [wire.send(GET).document for _ in range(3)] == [{}] * 3
    assert len(connections) == 1


class PatientWire(Wire):
    """A wire that gives up in half a second only when its caller's time is over."""

    least_s = 0.5


def test_a_caller_s_time_bounds_a_call_that_drips(api: Api) -> None:
    api.replies(Reply(200, pod_row(), drip_s=0.1))
    wire = PatientWire("key", api.url, clock := FakeClock(), Pace(clock, None), None)
    with wire.bounded(0.0), threads_end(), pytest.raises(CloudUnreachable, match="no answer in time"):
        wire.send(GET)


def test_a_caller_s_time_bounds_the_retries_of_a_call_and_ends_with_the_block(api: Api) -> None:
    api.replies(*[problem(503, "later")] * 3, Reply(200, pod_row()))
    wire = wire_to(api.url)
    with wire.bounded(60.0), wire.bounded(0.0), pytest.raises(CloudUnreachable):
        wire.send(GET)
    assert len(api.received) == 1
    assert wire.send(GET).document == pod_row()
