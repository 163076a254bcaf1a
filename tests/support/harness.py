"""The installed command against a simulator of its own: real processes, HTTP, SSH and signals."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests.support.simulator_process import serve

BIN = Path(sys.executable).parent
TOOL = str(BIN / "runpod-deploy")


# Loading the simulator's libraries takes as long as a small run: one process of each worker does, and all simulators of
# its tests are forked from it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.simulator_process"])


class Simulator:
    """A simulator in a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        receiving, sending = FORKS.Pipe(duplex=False)
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self.process = FORKS.Process(target=serve, args=(environment, sending))
        self.process.start()
        sending.close()
        assert receiving.poll(30), "the simulator did not start"
        self.exports: dict[str, str] = receiving.recv()
        receiving.close()
        self.http = urllib3.PoolManager(retries=False)

    @property
    def env(self) -> dict[str, str]:
        """A clean environment that points at this simulator."""
        return {"HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.exports}

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of one call under /_sim/."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.exports['RUNPOD_API_BASE_URL']}/_sim/{path}"
        headers = {"Authorization": f"Bearer {self.exports['RUNPOD_SIM_TOKEN']}"}
        answer = self.http.request(method, url, body=data, headers=headers, timeout=100)
        assert answer.status < 300, answer.data
        return json.loads(answer.data) if answer.data else None

    def fault(self, **fault: Any) -> None:
        """The fault is in force."""
        self.control("POST", "faults", fault)

    @property
    def ledger(self) -> dict[str, Any]:
        """Pods made and left, money, requests."""
        return dict(self.control("GET", "ledger"))

    def kill_pods(self, how: str = "gone") -> None:
        """Every running pod is lost with its host."""
        for pod in self.ledger["pods"]:
            if pod["ended"] is None:
                self.control("POST", f"pods/{pod['id']}/kill", {"as": how})

    def stop(self) -> None:
        """The simulator and its pods have ended."""
        self.process.terminate()
        self.process.join(20)
        if self.process.exitcode is None and self.process.pid is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.join(5)


@dataclass
class Ended:
    """The result of one call of the command."""

    code: int
    out: str
    err: str
    run_dir: Path | None

    @property
    def manifest(self) -> dict[str, Any]:
        """The run's manifest."""
        assert self.run_dir, self.err
        return dict(json.loads((self.run_dir / "runpod_deploy_pull_manifest.json").read_text()))

    @property
    def events(self) -> list[dict[str, Any]]:
        """The run's journal."""
        assert self.run_dir, self.err
        return [json.loads(line) for line in (self.run_dir / "events.jsonl").read_text().splitlines()]

    def named(self, name: str) -> list[dict[str, Any]]:
        """The events of that name."""
        return [row for row in self.events if row["event"] == name]


class Tool:
    """A running call of the command."""

    def __init__(self, sim: Simulator, *args: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [TOOL, *args],
            env={**sim.env, **(env or {})},
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.first = ""
        if "--print-run-dir" in args:
            assert self.process.stdout is not None
            self.first = self.process.stdout.readline()

    @property
    def run_dir(self) -> Path | None:
        """The folder in the line `RUN_DIR=`."""
        found = re.match(r"RUN_DIR=(.+)\n", self.first)
        return Path(found[1]) if found else None

    def await_event(self, test: Callable[[dict[str, Any]], bool], within_s: float = 200.0) -> dict[str, Any]:
        """The first event that passes the test."""
        assert self.run_dir is not None
        path, deadline = self.run_dir / "events.jsonl", time.monotonic() + within_s
        while time.monotonic() < deadline:
            for line in path.read_text().splitlines() if path.exists() else []:
                if line.endswith("}") and test(row := json.loads(line)):
                    return dict(row)
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)
        raise AssertionError(f"no such event within {within_s} s")

    def signal(self, number: int) -> None:
        """The whole process group gets the signal, as from a terminal."""
        os.killpg(self.process.pid, number)

    def end(self, within_s: float = 300.0) -> Ended:
        """Its result."""
        try:
            out, err = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
            raise AssertionError(f"still running after {within_s} s:\n{out}\n{err}") from None
        return Ended(self.process.returncode, self.first + out, err, self.run_dir)


def run(sim: Simulator, config: Path, *args: str, within_s: float = 300.0, env: dict[str, str] | None = None) -> Ended:
    """One run of a config, from beginning to end."""
    return Tool(sim, "run", "--config", str(config), "--print-run-dir", *args, env=env).end(within_s)


def job(folder: Path, body: str = "echo hello\necho DONE\n", **sections: Any) -> Path:
    """A config in that folder: seconds of work, one artifact; sections replace or extend."""
    folder.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = {
        "name": "job",
        "pod": {
            "image": "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
            "datacenters": ["EU-SE-1", "US-TX-3"],
            "gpu_order": ["NVIDIA L40S", "NVIDIA RTX A5000"],
        },
        "storage": {"mode": "ephemeral", "volume_gb": 10},
        "budget": {"cost_cap_usd": 5.0},
        "run": {"script_path": "/workspace/job.sh", "log_path": "/workspace/job.log", "body": body},
        "artifacts": [{"label": "out", "remote_path": "/workspace/out", "local_path": "{run_dir}/"}],
    }
    for name, section in sections.items():
        known = document.get(name)
        document[name] = {**known, **section} if isinstance(known, dict) else section
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


WORK = "mkdir -p /workspace/out && echo result > /workspace/out/result.txt\n"
