"""A simulator process for tests: start, faults, reset, end. Knows its CLI and /_sim/."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

PROGRAM = Path(sys.executable).with_name("runpod-sim")
ENDS_WITHIN_S = 100


@dataclass(frozen=True)
class Simulated:
    """A running simulator."""

    url: str
    key: str
    token: str = ""
    """What opens /_sim/."""

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that point the product at it."""
        return {"RUNPOD_API_BASE_URL": self.url, "RUNPOD_API_KEY": self.key}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of a call under /_sim/."""
        return self.call(method, f"/_sim/{path}", body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of the API, for calls that the product never makes."""
        data = None if body is None else json.dumps(body).encode()
        bearer = self.token if path.startswith("/_sim/") else self.key
        headers = {"Authorization": f"Bearer {bearer}", "User-Agent": "tests", "Content-Type": "application/json"}
        reply = urllib3.request(method, self.url + path, body=data, headers=headers, retries=False, timeout=30)
        assert reply.status < 300, (reply.status, reply.data)
        return json.loads(reply.data) if reply.data else None

    def fault(self, **row: Any) -> None:
        """The fault is in force."""
        self.control("POST", "faults", row)

    def reset(self) -> None:
        """No fault and no pod is left."""
        self.control("DELETE", "faults")
        for pod in self.call("GET", "/v2/pods")["pods"]:
            self.call("DELETE", f"/v2/pods/{pod['id']}")


@contextmanager
def simulator(*options: str) -> Iterator[Simulated]:
    """A simulator of its own; on the way out it and all of its pods are ended."""
    argv = [str(PROGRAM), "serve", *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            exports = dict(process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(5))
            yield Simulated(exports["RUNPOD_API_BASE_URL"], exports["RUNPOD_API_KEY"], exports["RUNPOD_SIM_TOKEN"])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(ENDS_WITHIN_S)
