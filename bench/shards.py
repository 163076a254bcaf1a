"""What a run costs this machine when many go at once: memory and processor time of each, beside one run alone.

    .venv/bin/python bench/shards.py [--shards 32]

The parallel recipe starts all shards at the same time on one simulated cloud. Memory is the peak of the process that
watches the run; processor time is that process with all that it started, such as ssh. The simulator and the jobs run
on this machine too, so wall time says little. Exit 1 if a shard failed, or if one needs more memory than the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLE = REPOSITORY / "examples/digits"
COMMANDS_DIR = Path(sys.executable).parent
PEAK_LIMIT_MB = 35.0
# Stands in the way of `runpod-deploy`: runs it, and adds what the kernel says of it to a file.
SHIM = """\
#!{python}
import json, os, sys
pid = os.fork()
if pid == 0:
    os.execv({tool!r}, [{tool!r}, *sys.argv[1:]])
_, status, used = os.wait4(pid, 0)
code = os.waitstatus_to_exitcode(status)
with open({rows!r}, "a") as out:
    out.write(json.dumps([code, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]) + "\\n")
sys.exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Used:
    """What one run needed."""

    exit_code: int
    peak_mb: float
    cpu_s: float


def main() -> int:
    """0 if every shard succeeded within the limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shards", type=int, default=32)
    shards = parser.parse_args().shards
    alone, together = sweep(1), sweep(shards)
    print(f"{'runs at once':<14}{'failed':>8}{'peak MB':>10}{'CPU s, median':>15}{'CPU s, most':>13}")
    for rows in (alone, together):
        failed = sum(row.exit_code != 0 for row in rows)
        cpu = [row.cpu_s for row in rows]
        peak = max(row.peak_mb for row in rows)
        print(f"{len(rows):<14}{failed:>8}{peak:>10.1f}{statistics.median(cpu):>15.2f}{max(cpu):>13.2f}")
    fine = len(together) == shards and all(r.exit_code == 0 and r.peak_mb <= PEAK_LIMIT_MB for r in together)
    print("fine" if fine else f"a shard failed, tried again, or took more than {PEAK_LIMIT_MB:.0f} MB")
    return 0 if fine else 1


def sweep(count: int) -> list[Used]:
    """What each of so many runs at once needed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows_path = folder / "rows.jsonl"
        shim = folder / "runpod-deploy"
        shim.write_text(SHIM.format(python=sys.executable, tool=str(COMMANDS_DIR / shim.name), rows=str(rows_path)))
        shim.chmod(0o755)
        config = folder / "job.yaml"
        config.write_text(f"extends: {EXAMPLE}/digits.yaml\nlocal: {{project_root: {EXAMPLE}}}\n")
        rehearse(folder, config, count)
        return [Used(*json.loads(line)) for line in rows_path.read_text().splitlines()]


def rehearse(folder: Path, config: Path, count: int) -> None:
    """The parallel recipe has ended; what it printed is in the folder."""
    recipe = REPOSITORY / "recipes/sweep/parallel.sh"
    seeds = [str(seed) for seed in range(count)]
    command = [str(COMMANDS_DIR / "runpod-sim"), "exec", "--strict", "--", str(recipe), str(config), *seeds]
    path = f"{folder}{os.pathsep}{COMMANDS_DIR}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "HOME": str(folder), "LOGS": str(folder / "logs")}
    limits = {"AT_ONCE": str(count), "TOTAL_CAP_USD": str(2 * count)}
    with (folder / "printed").open("wb") as printed:
        subprocess.run(command, env={**os.environ, **own, **limits}, stdout=printed, stderr=printed, check=False)


if __name__ == "__main__":
    sys.exit(main())
