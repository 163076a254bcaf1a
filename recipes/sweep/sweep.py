#!/usr/bin/env python3
"""Runs one config for many seeds, a few at a time, under one cap for the sum.

    python3 sweep.py job.yaml 1 2 3 4 --at-once 2 --total-cap-usd 10 -- --max-runtime-minutes 30

The arguments after `--` are passed to each `runpod-deploy run`. After an interruption, the same command with `--logs`
and the folder of the sweep continues it: each try has a run id, and a second request for a run resumes it, or returns
its old result without paying twice.

Needs Python 3.9 or newer and no packages: it calls the command line and reads the files of the runs. Exits with 0 if
the last try of each seed succeeded, 1 if not, 130 after Ctrl-C, and 4 or 9 as soon as a run does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "runpod_deploy_pull_manifest.json"
# No stock, API down, pod lost, run held by another process, pod killed: these may disappear by themselves.
TRANSIENT = {3, 5, 6, 8, 22}
# No key or no money; a pod that may still cost money: no other seed would succeed, and somebody must look.
HALTING = {4, 9}
INTERRUPTED = 130
LOOK_EVERY_S = 0.2
LONGEST_WAIT_S = 30 * 86400  # for a run that an earlier sweep has left running


@dataclass
class Try:
    """One run of one seed. Without a process, it ended in an earlier call."""

    seed: str
    number: int
    log_path: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def exit_code(self) -> int | None:
        """The exit code as a shell shows it; None while the run lasts."""
        code = self.process.poll() if self.process else self.manifest().get("exit_code")
        return 128 - code if code is not None and code < 0 else code

    def interrupt(self) -> None:
        """Interrupts the run, which downloads its results so far and releases its pod before it ends."""
        if self.process:
            self.process.send_signal(signal.SIGINT)

    def run_dir(self) -> str | None:
        """The folder that the run named in its first line; None if it ended before that."""
        lines = self.log_path.read_text(errors="replace").splitlines()
        return next((line[len("RUN_DIR=") :] for line in lines if line.startswith("RUN_DIR=")), None)

    def manifest(self) -> dict[str, Any]:
        """The manifest of the run; empty if there is none."""
        try:
            content: dict[str, Any] = json.loads(Path(self.run_dir() or os.devnull, MANIFEST).read_text())
        except (OSError, ValueError):
            return {}
        return content

    def row(self) -> dict[str, Any]:
        """The row of the table. The cost is None while the run lasts, or if it is unknown."""
        manifest, code = self.manifest(), self.exit_code
        return {
            "seed": self.seed,
            "try": self.number,
            "exit": code,
            "reason": (manifest.get("failure") or {}).get("kind") or manifest.get("outcome"),
            "usd": None if code is None else manifest.get("estimated_cost_usd"),
            "run_dir": self.run_dir(),
        }


@dataclass
class Sweep:
    """The seeds to come, each with the time until which it must wait; all tries; the active tries."""

    options: argparse.Namespace
    queue: list[tuple[float, str]]
    tries: list[Try]
    flying: list[Try] = field(default_factory=list)
    interrupts: int = 0
    halt: int = 0  # the exit code that ends the sweep early

    def on_signal(self, *_: object) -> None:
        """Notes the signal; the loop passes it on."""
        self.interrupts += 1
        self.halt = INTERRUPTED

    def carry_out(self) -> None:
        """Every seed has succeeded, has finally failed, or was not started because of the cap or a halt."""
        passed_on = 0
        while self.flying or (self.queue and not self.halt):
            if passed_on < self.interrupts:
                passed_on = self.interrupts
                for one in self.flying:
                    one.interrupt()
            elif self.queue and not self.halt and len(self.flying) < self.options.at_once:
                if self.affordable():
                    self.launch_next()
                elif not self.flying:
                    say(f"the total cap of {self.options.total_cap_usd} USD has no room for another run")
                    break
            time.sleep(LOOK_EVERY_S)
            self.collect()

    def affordable(self) -> bool:
        """Whether one more run fits under the cap. An active run, or a run of unknown cost, counts with its cap."""
        cap: float = self.options.cap_usd
        total: float = self.options.total_cap_usd
        costs = [one.row()["usd"] for one in self.tries]
        return sum(cap if usd is None else usd for usd in costs) + cap <= total

    def launch_next(self) -> None:
        """The seed that has waited longest is started, unless it must still wait."""
        not_before, seed = min(self.queue, key=lambda item: item[0])
        if time.monotonic() >= not_before:
            self.queue.remove((not_before, seed))
            one = start(self.options, seed, 1 + sum(one.seed == seed for one in self.tries))
            self.tries.append(one)
            self.flying.append(one)

    def collect(self) -> None:
        """Tries that have ended are no longer active, and a seed is queued again if another try may help."""
        for one in [one for one in self.flying if one.exit_code is not None]:
            self.flying.remove(one)
            code, reason = one.exit_code, one.row()["reason"]
            say(f"seed {one.seed}: try {one.number} ended, exit {code}, {reason or 'see its log'}")
            if code in HALTING:
                self.halt = self.halt or code
            if code in TRANSIENT and one.number < self.options.attempts:
                self.queue.append((time.monotonic() + one.number * self.options.retry_after_s, one.seed))


def main() -> int:
    """The exit code of the sweep."""
    options = parse_arguments()
    sweep = Sweep(options, [(0.0, seed) for seed in options.seeds], list(earlier(options)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # under nohup, a closed terminal is ignored
            signal.signal(number, sweep.on_signal)
    sweep.carry_out()
    return report(sweep)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        usage="%(prog)s [OPTION]... CONFIG SEED... [-- FLAG_OF_RUN...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    stamp = time.strftime("sweep-%Y%m%dT%H%M%SZ-", time.gmtime()) + str(os.getpid())
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser.add_argument("config", metavar="CONFIG", help="declares a variable `seed`")
    parser.add_argument("seeds", metavar="SEED", nargs="+", type=name)
    parser.add_argument("--at-once", type=positive, default=3, metavar="N", help="runs at the same time (3)")
    parser.add_argument("--attempts", type=positive, default=3, metavar="N", help="tries for one seed (3)")
    parser.add_argument("--retry-after-s", type=float, default=10.0, metavar="S", help="pause before a second try (10)")
    parser.add_argument("--cap-usd", type=float, default=1.0, metavar="USD", help="the most that one run may cost (1)")
    parser.add_argument("--total-cap-usd", type=float, default=20.0, metavar="USD", help="the most for all runs (20)")
    parser.add_argument("--logs", type=Path, default=Path(stamp), metavar="DIR", help="folder of the sweep, old or new")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    options = parser.parse_args(sys.argv[1:at])
    if not shutil.which("runpod-deploy"):
        parser.error("runpod-deploy is not on PATH")
    options.seeds, options.flags = list(dict.fromkeys(options.seeds)), sys.argv[at + 1 :]
    options.logs.mkdir(parents=True, exist_ok=True)
    id_path = options.logs / "id"
    if not id_path.exists():
        id_path.write_text(stamp)
    options.id = id_path.read_text().strip()
    return options


def positive(text: str) -> int:
    """A whole number above 0."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


def name(text: str) -> str:
    """A name that can be part of a run id and of a file name."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise argparse.ArgumentTypeError(f"{text!r}: a seed is letters, digits, dots, dashes, underscores")
    return text


def earlier(options: argparse.Namespace) -> Iterator[Try]:
    """The tries of an earlier call, up to the last one that Ctrl-C ended: they are paid, and the seed gets another."""
    for seed in options.seeds:
        tries = (Try(seed, number, options.logs / f"{seed}.{number}.log") for number in itertools.count(1))
        made = list(itertools.takewhile(lambda one: one.log_path.exists(), tries))
        while made and made[-1].exit_code != INTERRUPTED:
            made.pop()
        yield from made


def start(options: argparse.Namespace, seed: str, number: int) -> Try:
    """Starts the run of the seed, or requests it again; its output is added to its own log."""
    log_path = options.logs / f"{seed}.{number}.log"
    wait_s = LONGEST_WAIT_S if log_path.exists() else 0
    command = ["runpod-deploy", "run", "--config", options.config, "--var", f"seed={seed}"]
    command += ["--run-id", f"{options.id}-{seed}.{number}", "--wait", str(wait_s), "--print-run-dir"]
    command += ["--cost-cap-usd", str(options.cap_usd), "--on-failure", "delete", *options.flags]
    with log_path.open("ab") as log:
        # In its own session, the run gets Ctrl-C once, from this script, and not also from the terminal.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    say(f"seed {seed}: try {number} started, log in {log_path}")
    return Try(seed, number, log_path, process)


def report(sweep: Sweep) -> int:
    """Prints the table and returns the exit code of the sweep."""
    rows = [one.row() for one in sorted(sweep.tries, key=lambda one: sweep.options.seeds.index(one.seed))]
    if sweep.options.json:
        print(json.dumps(rows, indent=2))
    else:
        print(f"{'SEED':<8} {'TRY':<3} {'EXIT':<4} {'REASON':<21} {'USD':<8} RUN_DIR")
        for row in rows:
            seed, number, code, reason, usd, run_dir = ("-" if cell is None else cell for cell in row.values())
            print(f"{seed:<8} {number:<3} {code:<4} {reason:<21} {usd:<8} {run_dir}")
    last = {row["seed"]: row["exit"] for row in rows}
    failed = [seed for seed in sweep.options.seeds if last.get(seed) != 0]
    for seed in failed:
        say(f"seed {seed}: {f'exit {last[seed]}' if seed in last else 'not started'}")
    return sweep.halt or (1 if failed else 0)


def say(text: str) -> None:
    """Prints a line on stderr; stdout is for the table."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
