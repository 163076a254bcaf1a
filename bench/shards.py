"""The memory and processor time that each of many parallel runs needs on this machine, beside those of one run alone.

    .venv/bin/python bench/shards.py [--shards 32] [--requests-per-minute 60] [--job recipes/sweep/job.yaml]

The parallel recipe starts all shards at the same time on one simulated cloud. Memory is the peak of the one process
that carries out a run: while it reads the config, for a second, and while it watches, for as long as the job lasts.
Processor time is that process with all that it started, such as ssh. The simulator and the jobs run on this machine
too, and perhaps other people's work: the load at the start is printed, and wall time says little. Exit 1 if a shard
failed or was tried again, or if watching took more memory than the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLE = REPOSITORY / "examples/digits/digits.yaml"
COMMANDS_DIR = Path(sys.executable).parent
WATCHING_LIMIT_MB = 35.0
# Stands in the way of `runpod-deploy`: runs it, looks at it meanwhile, and adds to a file what it needed.
SHIM = """\
#!{python}
import json, os, re, sys, time
pid = os.fork()
if pid == 0:
    os.execv({tool!r}, [{tool!r}, *sys.argv[1:]])
peaks = [0.0, 0.0]
while not (ended := os.wait4(pid, os.WNOHANG))[0]:
    try:
        watches = b"\\0resume\\0" in open(f"/proc/{{pid}}/cmdline", "rb").read()
        peaks[watches] = int(re.search(r"VmHWM:\\s+(\\d+)", open(f"/proc/{{pid}}/status").read())[1]) / 1024
    except (OSError, TypeError):  # it is just going
        pass
    time.sleep(0.1)
_, status, used = ended
code = os.waitstatus_to_exitcode(status)
with open({rows!r}, "a") as out:
    out.write(json.dumps([code, *peaks, used.ru_utime + used.ru_stime]) + "\\n")
sys.exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Used:
    """The memory and processor time of one run."""

    exit_code: int
    reading_mb: float
    watching_mb: float
    cpu_s: float


def main() -> int:
    """The exit status: 0 if every shard succeeded at once and within the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shards", type=int, default=32)
    parser.add_argument("--requests-per-minute", type=int, default=6000)
    parser.add_argument("--job", type=Path, default=EXAMPLE)
    given = parser.parse_args()
    shards, job, quota = given.shards, given.job.resolve(), given.requests_per_minute
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start, {quota} requests a minute")
    alone = sweep(1, job, quota)
    begun = time.monotonic()
    together = sweep(shards, job, quota)
    print(f"{time.monotonic() - begun:.0f} s for {shards} runs; exit codes {Counter(r.exit_code for r in together)}")
    show(alone, together)
    ended_well = len(together) == shards and all(row.exit_code == 0 for row in together)
    lean = all(row.watching_mb <= WATCHING_LIMIT_MB for row in together)
    print("fine" if ended_well and lean else f"a shard failed, tried again, or watched in > {WATCHING_LIMIT_MB:.0f} MB")
    return 0 if ended_well and lean else 1


def show(*sweeps: list[Used]) -> None:
    """Prints one line for each sweep."""
    print("| runs at once | failed | MB, reading | MB, watching | CPU s, median | CPU s, most |")
    print("|---:|---:|---:|---:|---:|---:|")
    for rows in sweeps:
        cpu = [row.cpu_s for row in rows]
        reading, watching = max(row.reading_mb for row in rows), max(row.watching_mb for row in rows)
        figures = f"{reading:.1f} | {watching:.1f} | {statistics.median(cpu):.2f} | {max(cpu):.2f}"
        print(f"| {len(rows)} | {sum(row.exit_code != 0 for row in rows)} | {figures} |")


def sweep(count: int, job: Path, quota: int) -> list[Used]:
    """The needs of each of this many parallel runs."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows_path = folder / "rows.jsonl"
        shim = folder / "runpod-deploy"
        shim.write_text(SHIM.format(python=sys.executable, tool=str(COMMANDS_DIR / shim.name), rows=str(rows_path)))
        shim.chmod(0o755)
        project = folder / "project"
        shutil.copytree(job.parent, project, ignore=shutil.ignore_patterns("artifacts", "results"))
        rehearse(folder, project / job.name, count, quota)
        return [Used(*json.loads(line)) for line in rows_path.read_text().splitlines()]


def rehearse(folder: Path, config: Path, count: int, quota: int) -> None:
    """Runs the parallel recipe to its end; its output is in the folder."""
    recipe = REPOSITORY / "recipes/sweep/parallel.sh"
    seeds = [str(seed) for seed in range(count)]
    simulator = [str(COMMANDS_DIR / "runpod-sim"), "exec", "--strict", "--requests-per-minute", str(quota), "--"]
    command = [*simulator, str(recipe), str(config), *seeds]
    path = f"{folder}{os.pathsep}{COMMANDS_DIR}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "HOME": str(folder), "LOGS": str(folder / "logs")}
    limits = {"AT_ONCE": str(count), "TOTAL_CAP_USD": str(2 * count)}
    with (folder / "printed").open("wb") as printed:
        subprocess.run(command, env={**os.environ, **own, **limits}, stdout=printed, stderr=printed, check=False)


if __name__ == "__main__":
    sys.exit(main())
