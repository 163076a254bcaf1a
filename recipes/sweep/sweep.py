#!/usr/bin/env python3
"""Run one config for many seeds, a few at a time, under one cap for the sum.

    python3 sweep.py job.yaml 1 2 3 4 --at-once 2 --total-cap-usd 10

Plain Python, 3.9 or newer, no packages: it drives the command line and reads what runs leave on disk.
Exits 1 if any seed did not succeed, 130 if interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "runpod_deploy_pull_manifest.json"
# No stock, API down, pod lost, run held by another process, pod killed: these may go away by themselves.
TRANSIENT = {3, 5, 6, 8, 22}
LOOK_EVERY_S = 0.2


@dataclass
class Try:
    """One run of one seed."""

    seed: str
    number: int
    log_path: Path
    process: subprocess.Popen[bytes]

    @property
    def exit_code(self) -> int | None:
        """None while it lasts."""
        return self.process.poll()

    def run_dir(self) -> Path | None:
        """The folder that the run named in its first line; None if it ended before that."""
        for line in self.log_path.read_text(errors="replace").splitlines():
            if line.startswith("RUN_DIR="):
                return Path(line[len("RUN_DIR=") :])
        return None

    def manifest(self) -> dict[str, Any]:
        """What the run says of itself; empty if it says nothing."""
        run_dir = self.run_dir()
        try:
            content: dict[str, Any] = json.loads((run_dir / MANIFEST).read_text()) if run_dir else {}
        except (OSError, ValueError):
            return {}
        return content

    def reason(self) -> str:
        """Why it ended as it did, in a word."""
        manifest = self.manifest()
        return (manifest.get("failure") or {}).get("kind") or manifest.get("outcome") or "-"

    def usd(self) -> float | None:
        """What it has cost; None while it lasts, and if nobody knows."""
        return None if self.exit_code is None else self.manifest().get("estimated_cost_usd")


@dataclass
class Sweep:
    """The seeds to come, with the moment before which they must wait; all tries; those in flight."""

    options: argparse.Namespace
    queue: list[tuple[float, str]]
    tries: list[Try] = field(default_factory=list)
    flying: list[Try] = field(default_factory=list)

    def carry_out(self) -> None:
        """Every seed has succeeded, has failed for good, or finds no room under the total cap."""
        while self.queue or self.flying:
            if self.queue and len(self.flying) < self.options.at_once:
                if self.affordable():
                    self.launch_next()
                elif not self.flying:
                    return
            time.sleep(LOOK_EVERY_S)
            self.collect()

    def affordable(self) -> bool:
        """Whether one more run fits: one in flight, or one whose cost nobody knows, counts with its cap."""
        cap: float = self.options.cap_usd
        total: float = self.options.total_cap_usd
        costs = [one.usd() for one in self.tries]
        return sum(cap if usd is None else usd for usd in costs) + cap <= total

    def launch_next(self) -> None:
        """The seed that has waited longest is in flight, if it need not wait any more."""
        not_before, seed = min(self.queue)
        if time.monotonic() < not_before:
            return
        self.queue.remove((not_before, seed))
        number = 1 + sum(one.seed == seed for one in self.tries)
        one = start(self.options, seed, number)
        self.tries.append(one)
        self.flying.append(one)

    def collect(self) -> None:
        """Tries that have ended are out of flight; a seed for which another try may help is queued again."""
        for one in [one for one in self.flying if one.exit_code is not None]:
            self.flying.remove(one)
            print(f"seed {one.seed}: try {one.number} ended, exit {one.exit_code}, {one.reason()}", flush=True)
            if one.exit_code in TRANSIENT and one.number < self.options.attempts:
                self.queue.append((time.monotonic() + one.number * self.options.retry_after_s, one.seed))

    def stop(self) -> None:
        """Every run in flight was interrupted once, brought home what there was and released its pod."""
        for one in self.flying:
            one.process.send_signal(signal.SIGINT)
        for one in self.flying:
            one.process.wait()


def main() -> int:
    """The exit code of the sweep."""
    options = parse_arguments()
    options.logs.mkdir(parents=True, exist_ok=True)
    sweep = Sweep(options, [(0.0, seed) for seed in options.seeds])
    try:
        sweep.carry_out()
    except KeyboardInterrupt:
        sweep.stop()
        return 130
    return report(sweep)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Run one config for many seeds, a few at a time.")
    parser.add_argument("config", type=Path)
    parser.add_argument("seeds", nargs="+")
    parser.add_argument("--at-once", type=int, default=3, help="runs at the same time")
    parser.add_argument("--attempts", type=int, default=3, help="tries for a seed whose failure may go away")
    parser.add_argument("--retry-after-s", type=float, default=10.0, help="pause before a second try, in seconds")
    parser.add_argument("--cap-usd", type=float, default=1.0, help="the most that one run may cost")
    parser.add_argument("--total-cap-usd", type=float, default=20.0, help="the most that all may cost")
    parser.add_argument("--logs", type=Path, default=Path(time.strftime("sweep-%Y%m%dT%H%M%SZ", time.gmtime())))
    return parser.parse_args()


def start(options: argparse.Namespace, seed: str, number: int) -> Try:
    """The seed's run, just started, its output going to a log of its own."""
    command = ["runpod-deploy", "run", "--config", str(options.config), "--var", f"seed={seed}"]
    command += ["--cost-cap-usd", str(options.cap_usd), "--on-failure", "delete", "--print-run-dir"]
    log_path = options.logs / f"{seed}.{number}.log"
    with log_path.open("wb") as log:
        # A session of its own: Ctrl-C then reaches the run once, from us, and not from the terminal as well.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    print(f"seed {seed}: try {number} started, log in {log_path}", flush=True)
    return Try(seed, number, log_path, process)


def report(sweep: Sweep) -> int:
    """The sweep's exit code, once the table is printed: 0 if the last try of each seed succeeded."""
    print(f"{'SEED':<8} {'TRY':<4} {'EXIT':<5} {'REASON':<22} {'USD':<8} RUN_DIR")
    for one in sweep.tries:
        usd, run_dir = one.usd(), one.run_dir() or "-"
        cost = "-" if usd is None else f"{usd:.4f}"
        print(f"{one.seed:<8} {one.number:<4} {one.exit_code!s:<5} {one.reason():<22} {cost:<8} {run_dir}")
    last = {one.seed: one.exit_code for one in sweep.tries}
    failed = [seed for seed in sweep.options.seeds if last.get(seed) != 0]
    for seed in failed:
        print(f"seed {seed}: {f'exit {last[seed]}' if seed in last else 'not started'}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
