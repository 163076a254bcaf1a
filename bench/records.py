"""The speed of reading records, compared with grep and jq over the same files in the same run.

    .venv/bin/python bench/records.py [--runs 1000] [--events 1000] [--manifests 10000] [--repeat 5]

Each command is run `--repeat` times on cached files. The shortest time counts, since longer ones measure other work of
the machine. Peak memory is what the kernel reports, which includes that of this process. Exit 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

TOOL = Path(sys.executable).with_name("runpod-deploy")
BEGAN_AT = datetime(2026, 6, 1, tzinfo=UTC)
MANIFEST = "runpod_deploy_pull_manifest.json"
KILLED = "pod_killed_unexpected"


@dataclass(frozen=True)
class Measure:
    """One command: its seconds, its peak memory in MB, and the number of lines that it printed."""

    seconds: float
    peak_mb: float
    lines: int


def main() -> int:
    """The exit status: 0 if every limit holds."""
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_events(root / "events", args.runs, args.events)
        write_manifests(root / "small", args.manifests // 4)
        write_manifests(root / "large", args.manifests)
        held = [*query_limits(root / "events", args.repeat), *summary_limits(root, args.repeat)]
    return 0 if all(held) else 1


def arguments() -> argparse.Namespace:
    """The numbers of runs, events, manifests and repetitions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("runs", 1000), ("events", 1000), ("manifests", 10_000), ("repeat", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def write_events(root: Path, runs: int, events: int) -> None:
    """Writes run dirs with heartbeats; one in ten ends with a killed pod."""
    for run in range(runs):
        run_dir = root / f"run-{run:06}"
        run_dir.mkdir(parents=True)
        rows = [heartbeat(run, index) for index in range(events)]
        if run % 10 == 0:
            rows[-10] |= {"event": KILLED, "note": "not by us — café"}
        (run_dir / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def heartbeat(run: int, index: int) -> dict[str, object]:
    """One row in the form that the tool writes."""
    at = BEGAN_AT + timedelta(hours=run, seconds=60 * index)
    where = {"pod_id": f"pod{run:06}", "gpu_id": "NVIDIA L40S", "datacenter_id": "EU-SE-1"}
    return {"ts_utc": at.isoformat(), "event": "heartbeat", "spent_usd": round(index * 0.0165, 4), **where}


def write_manifests(root: Path, count: int) -> None:
    """Writes run dirs with one manifest each, of the size of a real one."""
    for run in range(count):
        run_dir = root / f"run-{run:06}"
        run_dir.mkdir(parents=True)
        (run_dir / MANIFEST).write_text(json.dumps(manifest(run), indent=2))


def manifest(run: int) -> dict[str, object]:
    """A manifest with the keys that the summary shows, and as many others."""
    names = ("provision", "connect", "setup", "stage", "watch", "collect", "release")
    phases = [{"name": name, "started_at": BEGAN_AT.isoformat(), "duration_sec": 12.5} for name in names]
    return {
        "schema_version": "v2",
        "failed": run % 7 == 0,
        "job_name": "tune",
        "run_id": f"tune-{run}",
        "storage_mode": "ephemeral",
        "datacenter_id": "EU-SE-1",
        "gpu_id": "NVIDIA L40S",
        "gpu_price_per_hour_usd": 0.99,
        "gpu_price_source": "pod_describe",
        "pod_id": f"pod{run}",
        "image": "ghcr.io/x/y:1",
        "cost_cap_usd": 4.0,
        "wall_time_sec": 913.2,
        "estimated_cost_usd": None if run % 11 == 0 else 0.2511,
        "deploy_metadata": {"local_git_sha": "1f2e3d" * 6, "local_git_dirty": False, "local_git_branch": "main"},
        "artifacts": [{"label": "ckpt", "status": "success", "duration_sec": 2.4, "excludes": []}],
        "telemetry_files": ["events.jsonl", "metrics.jsonl"],
        "phases": phases,
        "variables": {"seed": str(run)},
    }


def query_limits(root: Path, repeat: int) -> list[bool]:
    """Whether a selective query is nearly as fast as grep, and much faster than jq."""
    text = f'"event": "{KILLED}"'
    query = [str(TOOL), "events-query", "--root", str(root), "--filter", f"event={KILLED}", "--json"]
    ours, grep = race([query, ["grep", "-r", "--include=events.jsonl", text, str(root)]], 3 * repeat)
    files = sorted(str(path) for path in root.rglob("events.jsonl"))
    jq = best(["jq", "-c", f'select(.event == "{KILLED}")', *files], min(repeat, 2))
    every = best([str(TOOL), "events-query", "--root", str(root), "--filter", "spent_usd<0"], min(repeat, 2))
    size_mb = sum(Path(path).stat().st_size for path in files) / 1e6
    print(f"{len(files)} files, {size_mb:.0f} MB, {ours.lines} rows match")
    show("events-query, selective", ours)
    show("grep -r", grep)
    show("jq", jq)
    show("events-query, every row parsed", every)
    return [
        verdict("same rows as grep and jq", ours.lines == grep.lines == jq.lines),
        verdict(f"{ours.seconds / grep.seconds:.1f} × grep, limit 4", ours.seconds <= 4 * grep.seconds),
        verdict(f"{jq.seconds / ours.seconds:.1f} × faster than jq, limit 10", jq.seconds >= 10 * ours.seconds),
        verdict(f"memory flat: {ours.peak_mb:.0f} MB, limit 60", max(ours.peak_mb, every.peak_mb) <= 60),
    ]


def summary_limits(root: Path, repeat: int) -> list[bool]:
    """Whether the summary of many runs is fast, takes linear time, and uses a constant amount of memory."""
    summarize = [str(TOOL), "manifest-summary", "--root"]
    small, large = best([*summarize, str(root / "small")], repeat), best([*summarize, str(root / "large")], repeat)
    cat = best(["grep", "-rh", "estimated_cost_usd", str(root / "large")], repeat)
    show("manifest-summary, a quarter", small)
    show("manifest-summary, all", large)
    show("grep -r for one key, all", cat)
    start_s = best([str(TOOL), "manifest-summary", "--help"], repeat).seconds
    growth = (large.seconds - start_s) / (small.seconds - start_s)
    return [
        verdict(f"all manifests in {large.seconds:.2f} s, limit 3", large.seconds <= 3),
        verdict(f"four times the runs take {growth:.1f} × the time, limit 5", growth <= 5),
        verdict(f"memory flat: {large.peak_mb:.0f} MB, limit 60", large.peak_mb <= 60),
    ]


def best(command: Sequence[str], repeat: int) -> Measure:
    """The fastest of several runs of a command."""
    return race([command], repeat)[0]


def race(commands: Sequence[Sequence[str]], repeat: int) -> list[Measure]:
    """The fastest run of each command. They run in turn, so that other work of the machine affects all of them."""
    rounds = [[measure(command) for command in commands] for _ in range(repeat)]
    return [min(column, key=lambda measured: measured.seconds) for column in zip(*rounds, strict=True)]


def measure(command: Sequence[str]) -> Measure:
    """One run of the command, whose output is counted."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        lines = sum(1 for _ in process.stdout or ())
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return Measure(time.perf_counter() - began, usage.ru_maxrss / 1024, lines)


def show(name: str, measured: Measure) -> None:
    """Prints a row of the table."""
    print(f"  {name:<32}{measured.seconds:8.3f} s{measured.peak_mb:8.0f} MB")


def verdict(text: str, held: bool) -> bool:
    """Prints whether a limit holds, and returns it."""
    print(f"  {'ok    ' if held else 'MISSED'} {text}")
    return held


if __name__ == "__main__":
    sys.exit(main())
