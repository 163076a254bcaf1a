#!/usr/bin/env python3
"""A sweep that lasts for days, on as many machines as you like: a DBOS workflow for each seed.

    python3 durable.py tune job.yaml 1 2 3 4 --at-once 2 --total-cap-usd 10                # one machine: SQLite
    python3 durable.py tune job.yaml 1 2 3 4 --db postgresql+psycopg://user@host/database  # several: the same command

Each machine that starts the command works on the sweep called `tune`, and each prints the table when all seeds have
ended. If a process is killed, the others take over its seeds, or the same command does later. Runs and budget are in
the database, and the project is in a folder that all machines see. Ctrl-C ends the runs of this process only.
Exits with 0 if every seed succeeded, 1 if not, 130 after Ctrl-C, and 4 or 9 as soon as a run does, on any machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

MANIFEST = "runpod_deploy_pull_manifest.json"
TRANSIENT = {3, 5, 6, 7, 22}  # no stock, API down, pod lost, full disk, pod killed: another try may help
HALTING = {4, 9}  # no key or no money; a pod that may still cost money: no other seed would succeed
BEAT_S = float(os.environ.get("BEAT_S", "10"))  # each process says so often that it lives
LEASE_S = 6 * BEAT_S  # a process that has said nothing for so long is dead, and others take its seeds over
PAUSE_S = float(os.environ.get("RETRY_AFTER_S", "30"))

tables = sa.MetaData()
state = sa.Table("sweep_state", tables, sa.Column("turn", sa.Integer), sa.Column("halt", sa.Integer))
runs = sa.Table(
    "sweep_runs",
    tables,
    sa.Column("run_id", sa.String, primary_key=True),
    *(sa.Column(name, sa.String) for name in ("seed", "reason", "run_dir")),
    *(sa.Column(name, sa.Float) for name in ("cap_usd", "usd")),
    *(sa.Column(name, sa.Integer) for name in ("number", "code")),
)
leases = sa.Table(
    "sweep_leases", tables, sa.Column("executor", sa.String, primary_key=True), sa.Column("beat", sa.Integer)
)


class Office:
    """What this process shares with the others (the database), and the runs that it has in hand."""

    me: str  # MACHINE:PROCESS
    engine: sa.Engine
    total_usd: float

    def __init__(self) -> None:
        self.children: set[subprocess.Popen[bytes]] = set()
        self.active: set[str] = set()  # runs whose end is not recorded yet
        self.leaving = threading.Event()

    def open(self, url: str, total_usd: float) -> None:
        """The tables exist, and this process has a lease. Whoever comes second finds them."""
        lite = url.startswith("sqlite")
        self.engine, self.total_usd = sa.create_engine(url, connect_args={"timeout": 60} if lite else {}), total_usd
        with self.engine.begin() as now:
            # One process at a time makes the tables.
            now.exec_driver_sql("BEGIN IMMEDIATE" if lite else "SELECT pg_advisory_xact_lock(20261128)")
            tables.create_all(now)
            if now.execute(sa.select(state)).first() is None:
                now.execute(sa.insert(state).values(turn=0, halt=0))
            now.execute(sa.insert(leases).values(executor=self.me, beat=0))

    def alone(self, now: sa.Connection) -> None:
        """No other process is in this transaction's place until it ends: one row is the lock."""
        now.execute(sa.update(state).values(turn=state.c.turn + 1))

    def reserve(self, run_id: str, seed: str, number: int, cap_usd: float) -> str:
        """`yes` if the cap is reserved now or was before; `wait` if an open run may leave room; else `full`."""
        with self.engine.begin() as now:
            self.alone(now)
            if now.execute(sa.select(runs).where(runs.c.run_id == run_id)).first():
                return "yes"
            used = now.execute(sa.select(sa.func.sum(sa.func.coalesce(runs.c.usd, runs.c.cap_usd)))).scalar() or 0.0
            if used + cap_usd > self.total_usd + 1e-9:
                some_open = now.execute(sa.select(runs).where(runs.c.usd.is_(None), runs.c.code.is_(None))).first()
                return "wait" if some_open else "full"
            now.execute(sa.insert(runs).values(run_id=run_id, seed=seed, number=number, cap_usd=cap_usd))
            return "yes"

    def settle(self, run_id: str, **values: Any) -> None:
        """The run has ended, and counts with its cost; if that is unknown, with its cap."""
        with self.engine.begin() as now:
            now.execute(sa.update(runs).where(runs.c.run_id == run_id).values(**values))

    def halt(self, code: int | None = None) -> int:
        """The exit code that halts all machines, 0 for none; a code given here is told to all."""
        with self.engine.begin() as now:
            if code is not None:
                now.execute(sa.update(state).values(halt=code))
            return int(now.execute(sa.select(state.c.halt)).scalar() or 0)


office = Office()


@DBOS.workflow()
def run_seed(sweep: str, config: str, seed: str, limits: dict[str, float]) -> int:
    """The exit code of the last try of the seed; -1 if there was no room for it."""
    requests = itertools.count(1)
    for number in itertools.count(1):
        run_id = f"{sweep}-{seed}.{number}"
        while (room := reserve(run_id, seed, number, limits["cap_usd"])) != "yes":
            if room == "full":
                return -1
            DBOS.sleep(min(PAUSE_S, 10) or 1)
        while (code := request(run_id, config, seed, limits["cap_usd"])) in (8, *HALTING):
            DBOS.sleep(PAUSE_S or 1)  # the same run again: somebody else has it, or the sweep was halted meanwhile
        if code not in (*TRANSIENT, 130) or (code != 130 and next(requests) >= limits["attempts"]):
            return code
        DBOS.sleep(number * PAUSE_S)
    raise AssertionError("unreachable")


@DBOS.step()
def reserve(run_id: str, seed: str, number: int, cap_usd: float) -> str:
    """Whether there is money for the run. Nothing starts while the sweep is halted."""
    if office.halt() or office.leaving.is_set():
        threading.Event().wait()  # this process is about to end, and the step is done again later
    return office.reserve(run_id, seed, number, cap_usd)


@DBOS.step()
def request(run_id: str, config: str, seed: str, cap_usd: float) -> int:
    """The exit code of the run, which is started, continued, or has ended before. Its cost is settled."""
    if office.halt() or office.leaving.is_set():
        threading.Event().wait()
    office.active.add(run_id)
    command = ["run", "--config", config, "--var", f"seed={seed}", "--run-id", run_id, "--print-run-dir"]
    code, run_dir = call(run_id, [*command, "--cost-cap-usd", str(cap_usd), "--on-failure", "delete"])
    if code == 2 and run_dir:  # another machine began it, and the folder that they share is our own
        code, _ = call(run_id, ["resume", run_dir, "--trust"])
    record(run_id, code, run_dir)
    office.active.discard(run_id)
    if office.leaving.is_set():
        threading.Event().wait()  # recorded as interrupted; the seed goes on when the command is given again
    return code


def call(run_id: str, words: list[str]) -> tuple[int, str]:
    """The exit code of a command that carries out a run, and the folder that it has named."""
    Path("logs").mkdir(exist_ok=True)
    with Path("logs", f"{run_id}.log").open("ab") as log:
        child = subprocess.Popen(
            ["runpod-deploy", *words, "--wait", "30d"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches it once, from here
        )
    office.children.add(child)
    printed, _ = child.communicate()
    office.children.discard(child)
    return child.returncode, printed.decode().partition("RUN_DIR=")[2].strip()


def record(run_id: str, code: int, run_dir: str) -> None:
    """The end of the run is in the table. A run that was refused has cost nothing; one that lasts keeps its cap."""
    try:
        manifest = json.loads(Path(run_dir, MANIFEST).read_text())
    except (OSError, ValueError):
        manifest = {}
    ended = manifest.get("exit_code") is not None and code not in (8, 9)
    usd = manifest.get("estimated_cost_usd") if ended else 0.0 if code in (2, 4) and not run_dir else None
    reason = (manifest.get("failure") or {}).get("kind") or manifest.get("outcome")
    office.settle(run_id, code=None if code == 8 else code, usd=usd, reason=reason, run_dir=run_dir)
    if code in HALTING:
        office.halt(code)


def keep_watch(sweep: str, seen: dict[str, tuple[int, float]]) -> None:
    """This process has said that it lives, and the seeds of every process that is dead are queued again.

    DBOS itself gives workflows back only to the executor that had them. No clocks are compared: a lease is over when
    its number has not changed for LEASE_S here, or at once if its process was on this machine and is gone.
    """
    with office.engine.begin() as now:
        office.alone(now)  # two survivors must not queue the same seed twice
        now.execute(sa.update(leases).where(leases.c.executor == office.me).values(beat=leases.c.beat + 1))
        beats: dict[str, int] = {row.executor: row.beat for row in now.execute(sa.select(leases))}
        for one in DBOS.list_workflows(status="PENDING", workflow_id_prefix=f"{sweep}-", load_input=False):
            if is_dead(one.executor_id or "", beats, seen):
                print(f"{one.workflow_id}: taken over from {one.executor_id}", file=sys.stderr, flush=True)
                DBOS.resume_workflow(one.workflow_id, queue_name=sweep)


def is_dead(executor: str, beats: dict[str, int], seen: dict[str, tuple[int, float]]) -> bool:
    """Whether the process will never go on with its seeds."""
    machine, _, pid = executor.rpartition(":")
    if executor == office.me:
        return False
    if machine == office.me.rpartition(":")[0] and Path("/proc").exists():
        return not Path("/proc", pid).exists()
    beat = beats.get(executor, -1)
    if executor not in seen or seen[executor][0] != beat:
        seen[executor] = beat, time.monotonic()
    return time.monotonic() - seen[executor][1] > LEASE_S


def main() -> int:
    """The exit code of the sweep."""
    options = parse_arguments()
    lite = options.db.startswith("sqlite")
    office.me = f"{options.machine}:{os.getpid()}"
    # SQLite has one writer for a file, and DBOS writes while we hold the lock: so two files.
    office.open(options.db.replace(".db", "-budget.db") if lite else options.db, options.total_cap_usd)
    DBOS(
        config={
            "name": "sweep",
            "system_database_url": options.db,
            "executor_id": office.me,
            "application_version": "1",  # a change of this file does not orphan the seeds that have begun
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    office.halt(0)  # whoever gives the command again has looked at what halted it
    DBOS.register_queue(options.sweep, global_concurrency=options.at_once, polling_interval_sec=min(1.0, BEAT_S))
    limits = {"cap_usd": options.cap_usd, "attempts": options.attempts}
    for seed in options.seeds:
        with SetWorkflowID(f"{options.sweep}-{seed}"):
            DBOS.enqueue_workflow(options.sweep, run_seed, options.sweep, options.config, seed, limits)
    return follow(options)


def leave(*_: object) -> None:
    """Each run of this process is interrupted: it downloads its results so far and releases its pod."""
    office.leaving.set()
    for child in list(office.children):
        child.send_signal(signal.SIGINT)


def follow(options: argparse.Namespace) -> int:
    """Waits for the end of all seeds, or of this process's runs if the sweep ends early, and prints the table."""
    seen: dict[str, tuple[int, float]] = {}
    ids = [f"{options.sweep}-{seed}" for seed in options.seeds]
    while not (office.leaving.is_set() or office.halt()):
        keep_watch(options.sweep, seen)
        ended = DBOS.list_workflows(workflow_ids=ids, status=["SUCCESS", "ERROR"])
        if len(ended) == len(ids):
            print_table()
            return 0 if all(one.output == 0 for one in ended) else 1
        office.leaving.wait(BEAT_S)
    while office.active:
        time.sleep(0.2)
    print_table()
    return 130 if office.leaving.is_set() else office.halt()


def print_table() -> None:
    """One line for each try, as in the other recipes."""
    print(f"{'SEED':<8} {'TRY':<3} {'EXIT':<4} {'REASON':<21} {'USD':<8} RUN_DIR")
    with office.engine.begin() as now:
        for row in now.execute(sa.select(runs).order_by(runs.c.seed, runs.c.number)):
            cells = ("-" if cell is None else cell for cell in (row.seed, row.number, row.code, row.reason, row.usd))
            print("{:<8} {:<3} {:<4} {:<21} {:<8} {}".format(*cells, row.run_dir or "-"))


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", help="its name, the beginning of each run id")
    parser.add_argument("config", help="declares a variable `seed`")
    parser.add_argument("seeds", nargs="+")
    parser.add_argument("--db", default="sqlite:///sweep.db", help="where the sweep is kept (sqlite:///sweep.db)")
    parser.add_argument("--machine", default=socket.gethostname(), help="a name of its own for this machine")
    parser.add_argument("--at-once", type=int, default=3, help="runs at the same time, on all machines together (3)")
    parser.add_argument("--attempts", type=int, default=3, help="tries for one seed (3)")
    parser.add_argument("--cap-usd", type=float, default=1.0, help="the most that one run may cost (1)")
    parser.add_argument("--total-cap-usd", type=float, default=20.0, help="the most for all runs (20)")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # workflows that wait here are continued by another process, or by the same command later
