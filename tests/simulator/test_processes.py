"""A simulator's processes and folders when it ends, or is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from .conftest import Sim, tool


def folders(path: Path) -> list[Path]:
    return sorted(path.glob("runpod-sim-*"))


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_killed_it_takes_its_pods_along_and_the_next_start_sweeps(serve: Callable[..., Sim], tmp_path: Path) -> None:
    dead = serve(TMPDIR=str(tmp_path))
    pod = dead.ready(dead.create())
    pid = dead.call("GET", "/_sim/pods").body["pods"][0]["pid"]
    assert is_alive(pid)
    [left] = folders(tmp_path)
    os.kill(dead.pid, signal.SIGKILL)
    dead.until(lambda: not is_alive(pid))
    assert dead.ssh(pod, "true").returncode == 255
    assert folders(tmp_path) == [left]
    alive = serve(TMPDIR=str(tmp_path))
    [other] = folders(tmp_path)
    assert other != left
    serve(TMPDIR=str(tmp_path))
    assert other in folders(tmp_path)
    assert alive.ready(alive.create())


def test_exec_passes_on_the_exit_code_and_leaves_nothing(tmp_path: Path) -> None:
    env = dict(os.environ) | {"TMPDIR": str(tmp_path)}
    script = 'test -n "$RUNPOD_API_KEY" && test -n "$RUNPOD_API_BASE_URL" && exit 7'
    done = subprocess.run(tool("exec", "--", "sh", "-c", script), env=env)
    assert done.returncode == 7
    assert folders(tmp_path) == []


def test_strict_exec_names_the_pod_that_was_left(tmp_path: Path) -> None:
    script = """
import json, os, urllib.request
body = {"name": "left", "image": "runpod/base", "gpu": {"id": "SIM 3600"}, "disk": 10}
headers = {"Authorization": "Bearer " + os.environ["RUNPOD_API_KEY"], "User-Agent": "tests/1"}
url = os.environ["RUNPOD_REST_V2_URL"] + "/pods"
print(urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).status)
"""
    ledger = tmp_path / "ledger.json"
    argv = tool("exec", "--strict", "--ledger", str(ledger), "--", "python3", "-c", script)
    done = subprocess.run(argv, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (97, "201\n")
    assert "left 1 pod: left (" in done.stderr
    assert '"pods_left": 1' in ledger.read_text()
