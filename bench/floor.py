"""The time of one small job, beside a script by hand (floor.sh): whole and by phase, with and without a slow wire.

    .venv/bin/python bench/floor.py [--repeat 7] [--rtt 0 80]

Both run on the same simulated cloud, in turn, through slow_wire.py, which gives API and pods a round trip time. The
median of each counts. "Billed" lasts from the arrival of the create request until that of the delete request. A turn is
a word of the client after one of the server: no connection can have fewer round trips. Processes are counted by strace
in a run of their own, if it is here. The pod's guard calls the API without the slow wire. Exit 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slow_wire import SlowWire

COMMANDS_DIR = Path(sys.executable).parent
TOOL, SIMULATOR = str(COMMANDS_DIR / "runpod-deploy"), str(COMMANDS_DIR / "runpod-sim")
SCRIPT = Path(__file__).with_name("floor.sh")
IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
JOB = "echo done | tee /workspace/out.txt\n"
CONFIG = f"""\
schema_version: 2
name: floor
pod: {{image: "{IMAGE}", gpu_order: [NVIDIA L40S], datacenters: [EU-SE-1]}}
storage: {{mode: ephemeral, volume_gb: 10}}
budget: {{cost_cap_usd: 5.0}}
run: {{script_path: /workspace/job.sh, log_path: /workspace/job.log, body: "{JOB.strip()}"}}
artifacts: [{{label: out, remote_path: /workspace/out.txt, local_path: "{{run_dir}}/out.txt"}}]
"""
PHASES = ("created", "reachable", "launched", "ended", "pulled", "gone", "over")
"""The ends of the phases: the pod was asked for, answers, has its job, the job ran, results are here, it is gone."""
EVENTS = {
    "pod_created": "created",
    "pod_reachable": "reachable",
    "job_launched": "launched",
    "job_ended": "ended",
    "artifact_pull_completed": "pulled",
    "pod_released": "gone",
}
LIMITS = {0: 2.0, 80: 1.5}
"""The most of the floor's time that `run` may take, by round trip in ms."""
BILLED_LIMITS_S = {80: 1.0}
"""The most seconds that `run` may bill beyond the floor."""


@dataclass(frozen=True)
class Measured:
    """One run: the seconds of its phases, what it billed and what it needed."""

    phases: dict[str, float]
    whole_s: float
    billed_s: float
    cpu_s: float
    requests: int
    api_turns: int
    ssh_turns: int


def main() -> int:
    """The exit status: 0 if every limit holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--rtt", type=int, nargs="*", default=[0, 80], help="round trips in ms")
    asked = parser.parse_args()
    if "RUNPOD_SIM_TOKEN" not in os.environ:
        os.execv(SIMULATOR, [SIMULATOR, "exec", "--", sys.executable, *sys.argv])
    wire = SlowWire(os.environ["RUNPOD_API_BASE_URL"])
    os.environ["RUNPOD_API_BASE_URL"] = wire.url
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    held = [compared(wire, rtt_ms, asked.repeat) for rtt_ms in asked.rtt]
    counted()
    return 0 if all(held) else 1


def compared(wire: SlowWire, rtt_ms: int, repeat: int) -> bool:
    """Whether the limits hold at this round trip; the table is printed."""
    wire.rtt_s = rtt_ms / 1000
    floor: list[Measured] = []
    ours: list[Measured] = []
    for number in range(repeat + 1):  # the first of each warms the caches up
        for way, rows in ((by_hand, floor), (by_tool, ours)):
            found = measured(wire, way)
            rows += [found] if number else []
    print(f"\nround trip {rtt_ms} ms, {repeat} runs each   by hand      run   (lowest to highest)")
    for phase in PHASES:
        show(phase, [row.phases[phase] for row in floor], [row.phases[phase] for row in ours])
    for name in ("whole_s", "billed_s", "cpu_s", "requests", "api_turns", "ssh_turns"):
        show(name, [getattr(row, name) for row in floor], [getattr(row, name) for row in ours])
    return within_limits(rtt_ms, floor, ours)


def within_limits(rtt_ms: int, floor: list[Measured], ours: list[Measured]) -> bool:
    """Whether both limits of this round trip hold, after a line about each."""
    pairs = list(zip(floor, ours, strict=True))
    times = statistics.median(our.whole_s / their.whole_s for their, our in pairs)
    billed_s = statistics.median(our.billed_s - their.billed_s for their, our in pairs)
    held = [times <= LIMITS.get(rtt_ms, times), billed_s <= BILLED_LIMITS_S.get(rtt_ms, billed_s)]
    limits = (LIMITS.get(rtt_ms), BILLED_LIMITS_S.get(rtt_ms))
    print(f"{'ok    ' if held[0] else 'MISSED'} {times:.2f} x the floor (limit {limits[0]})")
    print(f"{'ok    ' if held[1] else 'MISSED'} {billed_s:.2f} s billed beyond it (limit {limits[1]})")
    return all(held)


def show(name: str, floor: list[float], ours: list[float]) -> None:
    """Prints the medians, and the spread of ours."""
    spread = f"({min(ours):.2f} to {max(ours):.2f})"
    print(f"  {name:<28}{statistics.median(floor):10.2f} {statistics.median(ours):10.2f}   {spread}")


@contextmanager
def job_folder() -> Iterator[Path]:
    """A folder with the job, for both ways to run it; it is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "job.sh").write_text(JOB)
        (folder / "floor.yaml").write_text(CONFIG)
        yield folder


def measured(wire: SlowWire, way: Callable[[Path], dict[str, float]]) -> Measured:
    """One run by hand or by the tool."""
    wire.take()
    with job_folder() as folder:
        before, begun = os.times(), time.time()
        ends = way(folder)
        ends["over"] = time.time()
    after, seen = os.times(), wire.take()
    starts = [begun, *(ends[phase] for phase in PHASES[:-1])]
    return Measured(
        phases={phase: ends[phase] - start for phase, start in zip(PHASES, starts, strict=True)},
        whole_s=ends["over"] - begun,
        billed_s=seen.first(r"DELETE /v2/pods/") - seen.first(r"POST /v2/pods$"),
        cpu_s=after.children_user + after.children_system - before.children_user - before.children_system,
        requests=len(seen.requests),
        api_turns=seen.turns["api"] + seen.connections["api"],
        ssh_turns=seen.turns["ssh"] + seen.connections["ssh"],
    )


def by_hand(folder: Path, *before: str) -> dict[str, float]:
    """When each phase of the script ended."""
    told = subprocess.run(
        [*before, "bash", str(SCRIPT), IMAGE], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    assert (folder / "results/out.txt").exists()
    return {name: float(at) for name, at in (line.split() for line in told.splitlines())}


def by_tool(folder: Path, *before: str) -> dict[str, float]:
    """When each phase of `run` ended, by the times in its journal."""
    argv = [*before, TOOL, "run", "--config", str(folder / "floor.yaml"), "-q"]
    subprocess.run(argv, cwd=folder, check=True)
    [journal] = folder.glob("artifacts/runpod/*/events.jsonl")
    rows = map(json.loads, journal.read_text().splitlines())
    return {
        EVENTS[row["event"]]: datetime.fromisoformat(row["ts_utc"]).timestamp()
        for row in rows
        if row["event"] in EVENTS
    }


def counted() -> None:
    """Prints how many programs each way starts on this machine."""
    if shutil.which("strace") is None:
        return
    counts = []
    for way in (by_hand, by_tool):
        with job_folder() as folder:
            trace = folder / "trace"
            way(folder, "strace", "-f", "-qq", "-e", "trace=execve", "-o", str(trace))
            counts.append(len(re.findall(r"execve\(.* = 0$", trace.read_text(), re.MULTILINE)))
    print(f"\nprograms started: {counts[0]} by hand, {counts[1]} by run")


if __name__ == "__main__":
    sys.exit(main())
