"""The time until a command has done what it was started for, compared with a bare interpreter in the same run.

    .venv/bin/python bench/start.py [--repeat 15]

Five starts that people wait for: the help; the tab key, for a command's name and for an option of `run`; `run`, until
its first event is on disk; `status` of 200 runs that have not ended. Each round starts all of them and the interpreter
once, so that all run under the same conditions. The median of each counts, as a multiple of the median of `python -c
pass`, because machines differ. Exit 1 if one takes more than its limit. A simulated cloud takes the runs.
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
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

HELLO = Path(__file__).resolve().parent.parent / "examples/hello/hello.yaml"
COMMANDS_DIR = Path(sys.executable).parent
TOOL, SIMULATOR = str(COMMANDS_DIR / "runpod-deploy"), str(COMMANDS_DIR / "runpod-sim")
RUNS = 200
# Multiples of the time of `python -c pass`.
LIMITS = {"help": 11.0, "tab: a command": 9.0, "tab: an option of run": 9.0, "run, first event": 27.0, "status": 27.0}


def main() -> int:
    """The exit status: 0 if every start keeps to its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15)
    repeat = parser.parse_args().repeat
    if "RUNPOD_SIM_TOKEN" not in os.environ:
        os.execv(SIMULATOR, [SIMULATOR, "exec", "--", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory() as folder:
        project = project_with_runs(Path(folder))
        starts = {
            "python -c pass": lambda: timed([sys.executable, "-c", "pass"], project),
            "help": lambda: timed([TOOL, "--help"], project),
            "tab: a command": lambda: completed("runpod-deploy ev", project),
            "tab: an option of run": lambda: completed("runpod-deploy run --dr", project),
            "run, first event": lambda: first_event(project),
            "status": lambda: timed([TOOL, "status", "--project-root", str(project / "many")], project),
        }
        return compared(measured(starts, repeat))


def measured(starts: dict[str, Callable[[], float]], repeat: int) -> dict[str, list[float]]:
    """The times of each start; a round before them warms the caches up."""
    rounds = [{name: start() for name, start in starts.items()} for _ in range(repeat + 1)]
    return {name: [each[name] for each in rounds[1:]] for name in starts}


def compared(times: dict[str, list[float]]) -> int:
    """0 if every start keeps to its limit, after a line for each."""
    bare_s = statistics.median(times["python -c pass"])
    exceeded = 0
    for name, found in times.items():
        median_s, limit = statistics.median(found), LIMITS.get(name)
        exceeded += limit is not None and median_s > limit * bare_s
        rest = f"   {median_s / bare_s:5.1f} x   (at most {limit:.0f} x)" if limit else ""
        print(f"{name:22} {median_s:.3f} s ({min(found):.3f} to {max(found):.3f}){rest}")
    return 1 if exceeded else 0


def timed(argv: list[str], folder: Path, **variables: str) -> float:
    """The seconds that a command takes. Raises CalledProcessError if it fails."""
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, cwd=folder, env={**os.environ, **variables})
    return time.perf_counter() - started


def completed(line: str, folder: Path) -> float:
    """The seconds that bash waits after the tab key."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_RUNPOD_DEPLOY_COMPLETE": "bash_complete"}
    return timed([TOOL], folder, **words)


def first_event(folder: Path) -> float:
    """The seconds from the start of `run` until its first event, by the time in that event."""
    started = time.time()
    argv = [TOOL, "run", "--config", str(folder / "hello.yaml"), "--print-run-dir", "-q"]
    told = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=folder).stdout
    journal = Path(told.splitlines()[0].removeprefix("RUN_DIR=")) / "events.jsonl"
    row = json.loads(journal.read_text().splitlines()[0])
    return datetime.fromisoformat(row["ts_utc"]).timestamp() - started


def project_with_runs(folder: Path) -> Path:
    """A project with the example, and one below it with many runs that have launched their job and have not ended."""
    shutil.copy(HELLO, folder)
    first_event(folder)
    [run] = (journal.parent for journal in folder.glob("artifacts/runpod/*/events.jsonl"))
    rows = (run / "events.jsonl").read_text().splitlines(keepends=True)
    launched = next(number for number, row in enumerate(rows, 1) if '"event": "job_launched"' in row)
    for number in range(RUNS):
        copy = folder / "many/artifacts/runpod" / f"20260101T{number // 60:02}{number % 60:02}00Z"
        shutil.copytree(run, copy)
        (copy / "events.jsonl").write_text("".join(rows[:launched]))
        (copy / "runpod_deploy_pull_manifest.json").unlink()
    return folder


if __name__ == "__main__":
    sys.exit(main())
