#!/usr/bin/env python3
"""Stops the runs of a sweep that are worse than the median of all others at the same step.

    python3 sweep.py job.yaml 1 2 3 4 5 --logs tune & python3 median.py tune loss:min 3; wait

The job prints its numbers: __RUNPOD_EVENT__ {"event": "epoch", "step": 3, "loss": 0.41}. Before step 3, and with fewer
than three others to compare with, no run is stopped. It ends with the sweep.
"""

import fcntl
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ledger import Ledger, read_run


def curve(run_dir: str, name: str, sign: int) -> dict[int, float]:
    """The best value up to each step that the run has reported; larger is better."""
    best: dict[int, float] = {}
    path = Path(run_dir, "events.jsonl")
    for line in path.read_text().splitlines(keepends=True) if path.is_file() else []:
        row = json.loads(line) if line.endswith("\n") else {}
        if name in row and "step" in row:
            best[row["step"]] = max([sign * row[name], *best.values()])
    return best


def hopeless(ledger: Ledger, name: str, sign: int, first_step: int) -> list[str]:
    """The active runs whose best value is below the median of the others' at the same step."""
    tries = ledger.db.execute("SELECT run_id, is_open FROM tries").fetchall()
    curves = {one["run_id"]: curve(read_run(ledger.log_of(one["run_id"]))[0], name, sign) for one in tries}
    found = []
    for run_id in (one["run_id"] for one in tries if one["is_open"] and curves[one["run_id"]]):
        step = max(curves[run_id])
        others = [values[step] for other, values in curves.items() if other != run_id and step in values]
        if step >= first_step and len(others) >= 3 and curves[run_id][step] < statistics.median(others):
            found.append(run_id)
    return found


def main(folder: str, metric: str, first_step: str) -> None:
    """The sweep has ended: nobody holds its folder any more."""
    name, _, direction = metric.partition(":")
    with Path(folder, "lock").open("a") as lock:
        while True:
            for run_id in hopeless(Ledger(Path(folder)), name, -1 if direction == "min" else 1, int(first_step)):
                print(f"{run_id} is worse than the median", file=sys.stderr, flush=True)
                subprocess.run(["runpod-deploy", "stop", run_id, "--delete", "--quiet"], check=False)
            time.sleep(1)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
