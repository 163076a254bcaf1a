#!/usr/bin/env python3
"""A search for the best learning rate with Optuna: each trial is a run, and hopeless trials are stopped early.

    python3 search.py lr job.yaml --trials 20 --at-once 3 --total-cap-usd 10              # one machine: SQLite
    python3 search.py lr job.yaml --trials 20 --storage postgresql+psycopg://user@host/db  # several: the same command

Each machine that starts the command works on the study called `lr`. If a process is killed, the others go on with its
trials, or the same command does later: a trial keeps its run. Ctrl-C ends the runs of this process only.
Exits with 0 if all trials have ended, 1 if there was no room for some, 130 after Ctrl-C, 4 or 9 as soon as a run does.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

MANIFEST = "runpod_deploy_pull_manifest.json"
TRANSIENT = {3, 5, 6, 7, 22}  # no stock, API down, pod lost, full disk, pod killed: another try may help
HALTING = {4, 9}  # no key or no money; a pod that may still cost money: no other trial would succeed
BEAT_S = float(os.environ.get("BEAT_S", "10"))  # each process says so often that it lives
LEASE_S = 6 * BEAT_S  # a process that has said nothing for so long is dead, and others go on with its trials
PAUSE_S = float(os.environ.get("RETRY_AFTER_S", "30"))


def suggest(trial: Trial) -> dict[str, str]:
    """The variables of a trial: this is the space that is searched."""
    return {"lr": f"{trial.suggest_float('lr', 1e-5, 1.0, log=True):.6g}"}


class Search:
    """The study that all machines share, and the runs of this process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.me = f"{options.machine}:{os.getpid()}"
        self.study = open_study(options)
        self.lock = threading.Lock()  # one thread at a time chooses a trial
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.mine: set[int] = set()
        self.seen: dict[str, tuple[int, float]] = {}
        self.leaving = threading.Event()
        self.halt = 0

    def work(self) -> None:
        """No trial is left to do: they have all ended, or other processes have them."""
        while not self.leaving.is_set():
            trial = self.next_trial()
            if trial is None:
                return
            self.carry_out(trial)

    def next_trial(self) -> Trial | None:
        """A trial that waits for a second try here or that a dead process has left, or a new one.

        Numbers are unique over all machines, and a second try has a number of its own.
        """
        with self.lock:
            trials = self.study.get_trials(deepcopy=False)
            for one in trials:
                if one.state == TrialState.RUNNING and one.number not in self.mine and self.is_free(one):
                    self.mine.add(one.number)
                    return Trial(self.study, one._trial_id)
            if sum("retried" not in one.user_attrs for one in trials) >= self.options.trials:
                return None
            trial = self.study.ask()
            self.mine.add(trial.number)
            trial.set_user_attr("driver", self.me)
            return trial

    def is_free(self, one: FrozenTrial) -> bool:
        """Whether this process may take the trial."""
        return one.user_attrs.get("driver") == self.me or self.is_dead(one)

    def is_dead(self, one: FrozenTrial) -> bool:
        """Whether the process of the trial will never go on with it. No clocks of machines are compared."""
        driver = str(one.user_attrs.get("driver", ""))
        host, _, pid = driver.rpartition(":")
        if driver and host == self.options.machine and Path("/proc").exists():
            return not Path("/proc", pid).exists()
        beat = self.study.user_attrs.get(f"beat {driver}", -1)
        key = f"{one.number} {driver}"
        if key not in self.seen or self.seen[key][0] != beat:
            self.seen[key] = beat, time.monotonic()
        return time.monotonic() - self.seen[key][1] > LEASE_S

    def carry_out(self, trial: Trial) -> None:
        """The trial has ended, as complete, pruned or failed, unless this process is leaving."""
        trial.set_user_attr("driver", self.me)
        values = suggest(trial)
        while self.wait_for_room(trial):
            code, manifest, pruned = self.request(trial, values)
            if code in HALTING:
                self.stop(code)
            if self.leaving.is_set() and code not in (0, 20, 21):
                return  # the same command goes on with this run
            if code == 8:  # somebody else has this run
                self.leaving.wait(PAUSE_S or 1)
                continue
            cost = manifest.get("estimated_cost_usd")
            trial.set_user_attr("usd", self.options.cap_usd if cost is None else cost)
            if not pruned and (code == 130 or code in TRANSIENT):
                self.try_again(trial, code)
            self.tell(trial, code, manifest, pruned)
            return

    def try_again(self, trial: Trial, code: int) -> None:
        """There is another trial with the same values, if this one may still succeed."""
        one = next(one for one in self.study.get_trials() if one.number == trial.number)
        tries = int(one.user_attrs.get("tries", 0)) + (code != 130)
        if tries >= self.options.attempts or "retried" in one.user_attrs:
            return
        attrs = {"tries": tries, "driver": self.me}
        self.leaving.wait(tries * PAUSE_S)
        trial.set_user_attr("retried", True)
        self.study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.RUNNING, params=one.params, distributions=one.distributions, user_attrs=attrs
            )
        )

    def tell(self, trial: Trial, code: int, manifest: dict[str, Any], pruned: bool) -> None:
        """The study knows how the trial ended."""
        value = manifest.get("metrics", {}).get(self.options.metric.partition(":")[0])
        complete = code == 0 and isinstance(value, (int, float))
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE if complete else TrialState.FAIL
        trial.set_user_attr("exit", code)
        trial.set_user_attr("run_dir", manifest.get("run_id"))
        self.study.tell(trial.number, value if complete and not pruned else None, state=state, skip_if_finished=True)

    def wait_for_room(self, trial: Trial) -> bool:
        """Whether all trials with lower numbers leave room for this one: at their caps while they last."""
        while not self.leaving.is_set():
            lower = [one for one in self.study.get_trials(deepcopy=False) if one.number < trial.number]
            going = [one for one in lower if not one.state.is_finished()]
            paid = sum(float(one.user_attrs.get("usd", 0.0)) for one in lower if one.state.is_finished())
            if paid + (len(going) + 1) * self.options.cap_usd <= self.options.total_cap_usd + 1e-9:
                return True
            if not going:
                trial.set_user_attr("exit", "no room")
                self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
                return False
            self.leaving.wait(1)
        return False

    def request(self, trial: Trial, values: dict[str, str]) -> tuple[int, dict[str, Any], bool]:
        """The exit code of the run, its manifest, and whether it was stopped because it was hopeless."""
        run_id = f"{self.options.study}-{trial.number}"
        command = ["run", "--config", self.options.config, "--run-id", run_id, "--print-run-dir"]
        command += ["--cost-cap-usd", str(self.options.cap_usd), "--on-failure", "delete"]
        for key, value in values.items():
            command += ["--var", f"{key}={value}"]
        process, run_dir = self.call(run_id, command, Path(os.devnull))
        pruned = self.follow(trial, run_id, process, run_dir)
        if process.returncode == 2 and run_dir.is_dir():  # another machine began it, and the folder is our own
            process, _ = self.call(run_id, ["resume", str(run_dir), "--trust"], run_dir)
            pruned = self.follow(trial, run_id, process, run_dir)
        try:
            return process.returncode, json.loads((run_dir / MANIFEST).read_text()), pruned
        except (OSError, ValueError):
            return process.returncode, {}, False

    def call(self, run_id: str, words: list[str], run_dir: Path) -> tuple[subprocess.Popen[bytes], Path]:
        """A process that carries out the run, and the folder that it names in its first line."""
        Path("logs").mkdir(exist_ok=True)
        with Path("logs", f"{run_id}.log").open("ab") as log:
            process = subprocess.Popen(
                ["runpod-deploy", *words, "--wait", "30d"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches it once, from here
            )
        self.running[run_id] = process
        if words[0] == "run" and process.stdout:
            run_dir = Path(process.stdout.readline().decode().partition("RUN_DIR=")[2].strip() or os.devnull)
        return process, run_dir

    def follow(self, trial: Trial, run_id: str, process: subprocess.Popen[bytes], run_dir: Path) -> bool:
        """Whether the run was stopped: the study gets its numbers while it lasts, and may find it hopeless."""
        name, told = self.options.metric.partition(":")[0], 0
        while process.poll() is None:
            rows = read_rows(run_dir / "events.jsonl")
            for row in rows[told:]:
                if isinstance(row.get(name), (int, float)) and isinstance(row.get("step"), int):
                    trial.report(row[name], row["step"])
            told = len(rows)
            if trial.should_prune() and process.poll() is None:
                subprocess.run(["runpod-deploy", "stop", run_id, "--delete", "-q"], check=False)
                process.wait()
            time.sleep(0.5)
        self.running.pop(run_id, None)
        return process.returncode == 130 and trial.should_prune()

    def beat(self) -> None:
        """The other machines see that this process lives, until it ends."""
        count = 0
        while True:
            count += 1
            self.study.set_user_attr(f"beat {self.me}", count)
            time.sleep(BEAT_S)

    def stop(self, code: int) -> None:
        """Each run of this process is interrupted if the user wants to leave; nothing new is started."""
        self.halt = self.halt or code
        self.leaving.set()
        for process in list(self.running.values()) if code == 130 else []:
            process.send_signal(signal.SIGINT)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The complete rows of a journal."""
    try:
        return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    except (OSError, ValueError):
        return []


def open_study(options: argparse.Namespace) -> optuna.Study:
    """The study, new or old. Two machines may make its tables at once, and one of them then has to look again."""
    to_least = options.metric.endswith(":min")
    direction = optuna.study.StudyDirection.MINIMIZE if to_least else optuna.study.StudyDirection.MAXIMIZE
    for left in reversed(range(10)):
        try:
            return optuna.create_study(
                storage=options.storage, study_name=options.study, direction=direction, load_if_exists=True
            )
        except Exception:
            if not left:
                raise
            time.sleep(1)
    raise AssertionError("unreachable")


def main() -> int:
    """The exit code of the search."""
    options = parse_arguments()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = Search(options)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: search.stop(130))
    threading.Thread(target=search.beat, daemon=True).start()
    with ThreadPoolExecutor(options.at_once) as pool:
        for done in [pool.submit(search.work) for _ in range(options.at_once)]:
            done.result()
    return report(search)


def report(search: Search) -> int:
    """Prints one line for each trial, and the best."""
    print(f"{'TRIAL':<6} {'STATE':<9} {'EXIT':<8} {'VALUE':<10} {'USD':<8} PARAMS")
    trials = search.study.get_trials(deepcopy=False)
    for one in trials:
        value, attrs = "-" if one.value is None else f"{one.value:.6g}", one.user_attrs
        usd = f"{attrs.get('usd', 0.0):.4f}"
        print(f"{one.number:<6} {one.state.name:<9} {attrs.get('exit', '-'):<8} {value:<10} {usd:<8} {one.params}")
    if any(one.state == TrialState.COMPLETE for one in trials):
        best = search.study.best_trial
        print(f"best {search.options.metric}: {best.value:.6g}, trial {best.number}, {best.params}", file=sys.stderr)
    left = [one for one in trials if one.user_attrs.get("exit") == "no room" or not one.state.is_finished()]
    return search.halt or (1 if left else 0)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help="its name, the beginning of each run id")
    parser.add_argument("config", help="declares the variables that `suggest` gives")
    parser.add_argument("--storage", default="sqlite:///study.db", help="where the study is kept (sqlite:///study.db)")
    parser.add_argument("--machine", default=socket.gethostname(), help="a name of its own for this machine")
    parser.add_argument("--metric", default="loss:min", help="what is searched for (loss:min)")
    parser.add_argument("--trials", type=int, default=10, help="how many, on all machines together (10)")
    parser.add_argument("--at-once", type=int, default=3, help="runs at the same time, on this machine (3)")
    parser.add_argument("--attempts", type=int, default=3, help="tries for one trial (3)")
    parser.add_argument("--cap-usd", type=float, default=1.0, help="the most that one run may cost (1)")
    parser.add_argument("--total-cap-usd", type=float, default=20.0, help="the most for all trials (20)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
