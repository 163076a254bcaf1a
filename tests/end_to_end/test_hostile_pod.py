"""A job that owns its pod turns the tool's script against the tool: the run keeps its limit and stays small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.harness import WORK, Simulator, Tool, job

# The job is root: it may replace the script that sends its log, and end the one that runs.
REPLACED = """
find /workspace/.runpod-deploy -name follow.sh -exec cp /workspace/hostile.sh {} ';'
for dir in /proc/[0-9]*; do
    tr '\\0' ' ' <$dir/cmdline 2>/dev/null | grep -q 'follow' && kill -9 "${dir#/proc/}"
done
sleep 600
"""
HOSTILE = {
    "a frame of 10^14 bytes": "printf 'L 100000000000000\\n'; cat /dev/zero",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_limit_ends_a_pod_that_sends_nonsense(sim: Simulator, tmp_path: Path, name: str) -> None:
    config = job(
        tmp_path / "p",
        body=WORK + f"cat >/workspace/hostile.sh <<'END'\n{HOSTILE[name]}\nEND\n" + REPLACED,
        pod={"gpu_order": ["SIM 3600"]},
        lifecycle={"on_failure": "delete"},
        budget={"assumed_hourly_rate_usd": 1.0, "max_runtime_minutes": 60},
    )
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir", "--cost-cap-usd", "9")
    tool.await_event(lambda row: row["event"] in ("connection_lost", "stop_requested"))
    most_kb = int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{tool.process.pid}/status").read_text())[0])
    ended = tool.end(90)
    assert (ended.code, ended.manifest["failure"]["kind"]) == (21, "cost_cap"), ended.err[-2000:]
    assert ended.run_dir and (ended.run_dir / "out/result.txt").exists()
    assert most_kb < 150_000 and sim.ledger["pods_left"] == 0
