"""The surroundings of the pod's scripts: real shells, a PID namespace as the container, an HTTP server as the API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runpod_deploy.pod import scripts

SHELLS = {"dash": ("dash",), "bash": ("bash", "--posix"), "busybox": ("busybox", "sh")}
KEY = "rpa_pod_scoped_key_that_nobody_may_see"


def shell_or_skip(name: str) -> tuple[str, ...]:
    """The command that starts this shell. The test is skipped if it is not installed."""
    if shutil.which(SHELLS[name][0]) is None:
        pytest.skip(f"{name} is not installed")
    return SHELLS[name]


def script_folder(folder: Path) -> Path:
    """A new folder with the pod's scripts, as on a pod."""
    folder.mkdir(parents=True)
    for name in scripts.PROGRAMS:
        (folder / name).write_text(scripts.program(name))
    return folder


def eventually(look: Callable[[], object], within_s: float = 100.0) -> None:
    """The look has returned something true."""
    end = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


@dataclass
class Call:
    """One request as the API received it."""

    method: str
    path: str
    body: str
    agent: str
    authorized: bool
    key_seen_in_argv: bool


@dataclass
class FakeApi:
    """An HTTP server with scripted answers that keeps all requests."""

    url: str = ""
    answers_to_body: dict[str, tuple[int, object]] = field(default_factory=dict)
    """Status and body of the answer to requests whose body has this text; looked up first."""
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    """Status and body by `METHOD path`; 204 for all others."""
    calls: list[Call] = field(default_factory=list)
    """The requests other than GET."""
    looks: list[Call] = field(default_factory=list)
    """The GET requests."""

    def asked(self) -> list[str]:
        """`METHOD path` of each call, in order."""
        return [f"{call.method} {call.path}" for call in self.calls]


@contextmanager
def fake_api(port: int = 0) -> Iterator[FakeApi]:
    """The server, which runs until the block ends."""
    api = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            authorized = self.headers.get("Authorization") == f"Bearer {KEY}"
            agent = self.headers.get("User-Agent", "")
            requests = api.looks if self.command == "GET" else api.calls
            requests.append(Call(self.command, self.path, body, agent, authorized, key_in_some_argv()))
            usual = api.answers.get(f"{self.command} {self.path}", (204, None))
            status, reply = next((row for text, row in api.answers_to_body.items() if text in body), usual)
            content = b"" if reply is None else json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    for verb in ("DELETE", "POST", "GET"):
        setattr(Handler, f"do_{verb}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def key_in_some_argv() -> bool:
    """Whether any process of the machine has the key among its arguments right now."""
    return any(KEY.encode() in arguments for arguments in command_lines())


def command_lines() -> Iterator[bytes]:
    """The arguments of every process of the machine right now."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


def end_processes_of(control: Path) -> None:
    """No process of this run's own parts is left: guard, keeper, supervisor. They start each other again."""
    while found := list(map(str, own_processes(control))):
        subprocess.run(["kill", "-KILL", *found], capture_output=True)
        time.sleep(0.05)


def own_processes(control: Path) -> list[int]:
    """The processes of this machine whose environment names the control folder or its run's tag."""
    marks = (f"={control}\0".encode(), f" {control.name}@\0".encode(), f"={control.name}@\0".encode())
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if any(mark in path.read_bytes() for mark in marks) and not is_zombie(path.parent):
                found.append(int(path.parent.name))
    return found


def is_zombie(process: Path) -> bool:
    """Whether a process has ended and nobody has asked how."""
    return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z"


@contextmanager
def container(env: dict[str, str], argv: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    """argv as PID 1 of a PID namespace with only this environment; all of its processes are killed at the end."""
    command = [*namespace_or_skip(), *argv]
    process = subprocess.Popen(command, executable=shutil.which(command[0]), stdin=subprocess.DEVNULL, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def namespace_or_skip() -> tuple[str, ...]:
    """The command that starts a PID namespace with its own /proc. The test is skipped if that is not allowed."""
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
    if os.getuid() != 0:
        command[1:1] = ["--user", "--map-root-user"]
    tried = subprocess.run([*command, "true"], capture_output=True)
    if tried.returncode:
        pytest.skip("PID namespaces are not available here")
    return tuple(command)
