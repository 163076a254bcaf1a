#!/usr/bin/env python3
"""Runs one config for many seeds, a few at a time, under one cap for the sum.

    python3 sweep.py job.yaml 1 2 3 4 --at-once 2 --total-cap-usd 10 -- --max-runtime-minutes 30

The arguments after `--` are passed to each `runpod-deploy run`. After an interruption, the same command with `--logs`
and the folder of the sweep continues it: each try has a run id, and a second request for a run resumes it, or returns
its old result without paying twice.

Needs Python 3.9 or newer, no packages, and ledger.py beside it: it calls the command line and reads the files of the
runs. Exits with 0 if the last try of each seed succeeded, 1 if not, 130 after Ctrl-C, and 4 or 9 as soon as a run does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from ledger import INTERRUPTED, Ledger, NoRoom, checked, complaints, lock, text_table

LOOK_EVERY_S = 0.2


@dataclass
class Sweep:
    """The seeds to come, each with the time until which it must wait, and the active runs."""

    options: argparse.Namespace
    ledger: Ledger
    queue: list[tuple[float, str]]
    flying: dict[str, tuple[str, subprocess.Popen[bytes]]] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    failures: int = 0
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
            if passed_on < self.interrupts:  # each run downloads its results so far and releases its pod
                passed_on = self.interrupts
                for _, process in self.flying.values():
                    process.send_signal(signal.SIGINT)
            elif self.has_a_slot() and not self.launch_next() and not self.flying:
                say(f"the total cap of {self.options.total_cap_usd} USD has no room for another run")
                break
            time.sleep(LOOK_EVERY_S)
            self.collect()

    def has_a_slot(self) -> bool:
        """Whether another run may begin, if there is money for it."""
        return bool(self.queue) and not self.halt and len(self.flying) < self.options.at_once

    def launch_next(self) -> bool:
        """The seed that has waited longest is started, unless it must still wait. False if there is no room for it."""
        not_before, seed = min(self.queue, key=lambda item: item[0])
        if time.monotonic() < not_before:
            return True
        if not self.ledger.has_result(seed):
            try:
                run_id = self.ledger.begin(seed, self.options.cap_usd, self.options.total_cap_usd, os.getpid())
            except NoRoom:
                return False
            self.flying[run_id] = seed, start(self.options, seed, run_id, self.ledger.log_of(run_id))
            self.requests[seed] = self.requests.get(seed, 0) + 1
        self.queue.remove((not_before, seed))
        return True

    def collect(self) -> None:
        """Runs that have ended are recorded, and a seed is queued again if another try may help."""
        for run_id, (seed, process) in list(self.flying.items()):
            if process.poll() is None:
                continue
            del self.flying[run_id]
            code = process.returncode if process.returncode >= 0 else 128 - process.returncode
            word = self.ledger.end(run_id, code)
            say(f"seed {seed}: exit {code}, {word}")
            if word == "halt":
                self.halt = self.halt or code
            if word == "again" and self.requests[seed] < self.options.attempts:
                self.queue.append((time.monotonic() + self.requests[seed] * self.options.retry_after_s, seed))
            elif word in ("again", "failed"):
                self.failures += 1
                if self.failures == self.options.stop_after:
                    self.halt = self.halt or 1


def main() -> int:
    """The exit code of the sweep."""
    options = parse_arguments()
    options.logs.mkdir(parents=True, exist_ok=True)
    with (options.logs / "lock").open("a") as held:
        if holder := lock(options.logs, held.fileno()):
            say(f"{options.logs} is in use by {holder}: wait for its end, or use another folder")
            return 8
        ledger = Ledger(options.logs)
        try:
            seeds = ledger.order(checked(ledger, seed) for seed in options.seeds)
        except ValueError as error:
            say(str(error))
            return 2
        sweep = Sweep(options, ledger, [(0.0, seed) for seed in seeds])
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
    folder = Path(time.strftime("sweep-%Y%m%dT%H%M%SZ-", time.gmtime()) + str(os.getpid()))
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser.add_argument("config", metavar="CONFIG", help="declares a variable `seed`")
    parser.add_argument("seeds", metavar="SEED", nargs="+")
    parser.add_argument("--at-once", type=positive, default=3, metavar="N", help="runs at the same time (3)")
    parser.add_argument("--attempts", type=positive, default=3, metavar="N", help="requests for one seed (3)")
    parser.add_argument("--stop-after", type=positive, metavar="N", help="start no seed after N have finally failed")
    parser.add_argument("--retry-after-s", type=float, default=10.0, metavar="S", help="pause before a second try (10)")
    parser.add_argument("--cap-usd", type=float, default=1.0, metavar="USD", help="the most that one run may cost (1)")
    parser.add_argument("--total-cap-usd", type=float, default=20.0, metavar="USD", help="the most for the folder (20)")
    parser.add_argument("--logs", type=Path, default=folder, metavar="DIR", help="folder of the sweep, old or new")
    parser.add_argument("--metric", default="", metavar="NAME", help="shown beside the cost: accuracy, or loss:min")
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    options = parser.parse_args(sys.argv[1:at])
    if not shutil.which("runpod-deploy"):
        parser.error("runpod-deploy is not on PATH")
    options.flags = sys.argv[at + 1 :]
    return options


def positive(text: str) -> int:
    """A whole number above 0."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


def start(options: argparse.Namespace, seed: str, run_id: str, log_path: Path) -> subprocess.Popen[bytes]:
    """Starts the run, or requests it again; its output is added to its own log."""
    command = ["runpod-deploy", "run", "--config", options.config, "--var", f"seed={seed}", "--run-id", run_id]
    command += ["--wait", "30d", "--print-run-dir", "--cost-cap-usd", str(options.cap_usd), "--on-failure", "delete"]
    say(f"seed {seed}: {run_id} started, log in {log_path}")
    with log_path.open("ab") as log:
        # In its own session, the run gets Ctrl-C once, from this script, and not also from the terminal.
        return subprocess.Popen(
            [*command, *options.flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def report(sweep: Sweep) -> int:
    """Prints the table and returns the exit code of the sweep."""
    seeds = list(dict.fromkeys(sweep.options.seeds))
    if sweep.options.json:
        print(json.dumps(sweep.ledger.rows(seeds), indent=2))
    else:
        print(text_table(sweep.ledger, seeds, sweep.options.metric))
    wanting = complaints(sweep.ledger, seeds)
    used = f"spent or reserved: {sweep.ledger.used_usd():.2f} of {sweep.options.total_cap_usd:.2f} USD"
    say("\n".join([*wanting, used]))
    return sweep.halt or (1 if wanting else 0)


def say(text: str) -> None:
    """Prints a line on stderr; stdout is for the table."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
