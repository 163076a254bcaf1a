"""Reads all runs of a project: `who_failed.py PROJECT_ROOT` shows how they ended, their durations and refusals."""

from __future__ import annotations

import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path

from runpod_deploy import load_events, load_manifest, walk_run_dirs


def main() -> int:
    """Prints the three tables and returns 0."""
    kinds: Counter[str] = Counter()
    seconds: dict[str, list[float]] = defaultdict(list)
    refused: Counter[str] = Counter()
    for run_dir in walk_run_dirs(Path(sys.argv[1])):
        manifest = load_manifest(run_dir) or {}
        kinds[(manifest.get("failure") or {}).get("kind") or manifest.get("outcome", "unknown")] += 1
        if manifest.get("wall_time_sec") is not None:
            seconds[manifest.get("gpu_id") or "none"].append(manifest["wall_time_sec"])
        refused.update(row["datacenter_id"] for row in load_events(run_dir) if row["event"] == "datacenter_failover")
    show(kinds, seconds, refused)
    return 0


def show(kinds: Counter[str], seconds: dict[str, list[float]], refused: Counter[str]) -> None:
    """Prints how runs ended, how long they took on each GPU, and which datacenters had no stock."""
    for kind, count in kinds.most_common():
        print(f"{kind:<24} {count}")
    for gpu, taken in sorted(seconds.items()):
        print(f"{gpu:<24} median {statistics.median(taken):.1f} s over {len(taken)} runs")
    for datacenter, count in refused.most_common():
        print(f"{datacenter:<24} refused {count} times")


if __name__ == "__main__":
    sys.exit(main())
