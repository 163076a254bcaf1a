"""A person on the pod of a run: commands, ports, and what the command says once the pod is gone."""

from __future__ import annotations

import signal
import socket
import time
import urllib.request
from pathlib import Path

from tests.support.harness import Simulator, Tool, job


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def fetched(url: str, within_s: float = 20.0) -> bytes:
    """What the server answers, once it does."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_commands_and_ports_of_a_running_pod(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body="echo hi > /workspace/page.txt\nsleep 300\n", lifecycle={"on_failure": "delete"})
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    run_dir = str(tool.run_dir)

    ended = Tool(sim, "ssh", run_dir, "--", "cat /workspace/page.txt; exit 7").end()
    assert (ended.code, ended.out) == (7, "hi\n"), ended.err

    here, there = free_port(), free_port()
    server = f"cd /workspace && python3 -m http.server {there} --bind 127.0.0.1"
    visit = Tool(sim, "ssh", run_dir, "-L", f"{here}:{there}", "--", server)
    try:
        assert fetched(f"http://127.0.0.1:{here}/page.txt") == b"hi\n"
    finally:
        visit.signal(signal.SIGKILL)
        _, told = visit.process.communicate()
    assert f"open http://localhost:{here}" in told

    tool.signal(signal.SIGINT)
    assert tool.end().code == 130
    over = Tool(sim, "ssh", run_dir).end()
    assert over.code == 2 and "is gone: it costs nothing any more" in over.err and "runpod-deploy logs" in over.err
