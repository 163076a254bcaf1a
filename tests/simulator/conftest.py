"""A simulator in a process of its own, and the two ways to reach it: HTTP and OpenSSH."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import urllib3

OFFICIAL = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
Json = dict[str, Any]
JSON_TYPES = ("application/json", "application/problem+json")
FIRST_LINE_S, QUIET_S = 3.0, 0.3


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    body: Any
    headers: Any


@dataclass
class Sim:
    """A client of a running simulator."""

    url: str
    key: str
    home: Path
    pid: int
    token: str = ""
    """What opens /_sim/."""
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    def call(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        """The answer; headers with None are left out."""
        sent: dict[str, str | None] = {
            "User-Agent": "tests/1",
            "Authorization": f"Bearer {self.token if path.startswith('/_sim/') else self.key}",
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        answer = self.http.request(
            method, self.url + path, body=data, headers={k: v for k, v in sent.items() if v is not None}, timeout=20
        )
        is_json = answer.headers.get("Content-Type", "") in JSON_TYPES
        return Answer(answer.status, json.loads(answer.data) if is_json else answer.data, answer.headers)

    def fault(self, **fault: Any) -> None:
        """The fault is in force."""
        assert self.call("POST", "/_sim/faults", fault).status == 201

    def body(self, **fields: Any) -> Json:
        """A complete and valid create body."""
        body = {
            "name": "test",
            "image": OFFICIAL,
            "gpu": {"id": "SIM 3600", "count": 1},
            "disk": 20,
            "ports": ["22/tcp"],
            "env": {"PUBLIC_KEY": (self.home / "key.pub").read_text().strip()},
        }
        return body | fields

    def create(self, **fields: Any) -> Json:
        """A new pod."""
        answer = self.call("POST", "/v2/pods", self.body(**fields))
        assert answer.status == 201, answer.body
        return dict(answer.body)

    def pod(self, pod: Json) -> Json:
        """The pod as it is now."""
        return dict(self.call("GET", f"/v2/pods/{pod['id']}").body)

    def ledger_row(self, pod: Json) -> Json:
        """The pod's row in the ledger."""
        rows = self.call("GET", "/_sim/ledger").body["pods"]
        return dict(next(row for row in rows if row["id"] == pod["id"]))

    def act(self, pod: Json, action: str) -> Answer:
        """The action's answer."""
        return self.call("POST", f"/v2/pods/{pod['id']}/action", {"action": action})

    def logs(self, pod: Json, query: str = "", **headers: str) -> list[Json]:
        """The lines that come before the stream pauses; it never ends by itself."""
        sent = {"User-Agent": "tests/1", "Authorization": f"Bearer {self.key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        link = HTTPConnection(self.url.removeprefix("http://"), timeout=FIRST_LINE_S)
        raw = b""
        try:
            link.request("GET", f"/v2/pods/{pod['id']}/logs{query}", headers=sent)
            stream = link.getresponse()
            assert stream.status == 200, stream.read()
            assert link.sock is not None
            link.sock.settimeout(QUIET_S)
            while chunk := stream.read1(65536):
                raw += chunk
        except TimeoutError:
            pass
        finally:
            link.close()
        return [json.loads(text) for text in re.findall(rb"^data: (.*)$", raw, re.M)]

    def until(self, look: Callable[[], Any], within_s: float = 200) -> Any:
        """The first true result of look."""
        end = time.monotonic() + within_s
        while not (seen := look()):
            assert time.monotonic() < end, f"still {seen!r} after {within_s} s"
            time.sleep(0.03)
        return seen

    def ready(self, pod: Json) -> Json:
        """The pod, once it answers over SSH."""

        def look() -> Json | None:
            now = self.pod(pod)
            return now if now.get("ssh", {}).get("direct") and self.ssh(now, "true").returncode == 0 else None

        return dict(self.until(look))

    def ssh(self, pod: Json, command: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """The ended command."""
        port = str(pod["ssh"]["direct"]["port"])
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes")
        argv = ["ssh", "-F", "none", "-i", str(self.home / "key"), "-p", port]
        argv += [text for option in options for text in ("-o", option)]
        return subprocess.run([*argv, "root@127.0.0.1", command], capture_output=True, **more)


def tool(*arguments: str) -> list[str]:
    """The simulator's command line."""
    return [str(Path(sys.executable).parent / "runpod-sim"), *arguments]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair."""
    path = tmp_path_factory.mktemp("home")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path / "key")], check=True)
    return path


@contextmanager
def serving(home: Path, *options: str, **env: str) -> Iterator[Sim]:
    """A running simulator; at the end it is terminated, unless it was killed."""
    argv = tool("serve", *options)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=dict(os.environ) | env) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(7)]
        exports = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
        try:
            yield Sim(
                exports["RUNPOD_API_BASE_URL"],
                exports["RUNPOD_API_KEY"],
                home,
                process.pid,
                exports["RUNPOD_SIM_TOKEN"],
            )
        finally:
            process.terminate()
            assert process.wait(20) in (0, -signal.SIGKILL)


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[..., Sim]]:
    """Starts simulators; ends them."""
    with ExitStack() as stack:
        yield lambda *options, **env: stack.enter_context(serving(home, *options, **env))


@pytest.fixture(scope="session")
def _shared(home: Path) -> Iterator[Sim]:
    with serving(home) as sim:
        yield sim


@pytest.fixture
def sim(_shared: Sim) -> Iterator[Sim]:
    """A shared simulator at the fast pace, without pods, volumes and faults at the start of each test."""
    yield _shared
    _shared.call("DELETE", "/_sim/faults")
    for pod in _shared.call("GET", "/_sim/pods").body["pods"]:
        _shared.call("DELETE", f"/v2/pods/{pod['id']}")
    for volume in _shared.call("GET", "/v2/network-volumes").body["networkVolumes"]:
        _shared.call("DELETE", f"/v2/network-volumes/{volume['id']}")
