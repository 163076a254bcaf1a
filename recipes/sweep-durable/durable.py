#!/usr/bin/env python3
"""A sweep that lasts for days, on as many machines as you like: a DBOS workflow for each seed.

    python3 durable.py tune job.yaml 1 2 3 4 --at-once 2 --total-cap-usd 10                # one machine: SQLite
    python3 durable.py tune job.yaml 1 2 3 4 --db postgresql://user@host/database          # several: the same command

Each machine that starts the command works on the sweep in the folder `tune`, and each prints the table when all seeds
have ended. If a process is killed, the others take over its seeds, or the same command does later. The folder of the
project is one that all machines see. Ctrl-C ends the runs of this process only. Needs ledger.py beside it.
Exits with 0 if every seed succeeded, 1 if not, 130 after Ctrl-C, and 4 or 9 as soon as a run does, on any machine.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from dbos import DBOS, SetWorkflowID
from ledger import INTERRUPTED, SCHEMA, Ledger, NoRoom, checked, read_run, text_table
from psycopg.rows import dict_row

BUSY = 8
LOOK_S = 1.0
PAUSE_S = float(os.environ.get("RETRY_AFTER_S", "30"))
WAIT, FULL = "wait", "full"

options = argparse.Namespace()
me = uuid.uuid4().hex  # this process, for DBOS
active: set[str] = set()  # runs of this process whose end is not recorded yet
children: set[subprocess.Popen[bytes]] = set()
leaving = threading.Event()


class OpenLedger(Ledger):
    """The ledger of a sweep whose runs are always taken over: each that is open will leave its room one day."""

    def is_active(self) -> bool:
        """Whether a run has not ended, on whatever machine."""
        return self.db.execute("SELECT 1 FROM tries WHERE is_open = 1").fetchone() is not None


class Postgres(psycopg.Connection[dict[str, Any]]):
    """A connection that takes the statements of the ledger."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> psycopg.Cursor[dict[str, Any]]:
        """The rows."""
        return super().execute(query.replace("?", "%s"), params, **more)


class SharedLedger(OpenLedger):
    """The ledger in PostgreSQL, where each sweep has a schema of its own. One process at a time is in a transaction."""

    lock_sql = "BEGIN; SELECT pg_advisory_xact_lock(20261128)"

    def connect(self, folder: Path) -> Any:
        """The connection to the database."""
        self.schema_sql = f'CREATE SCHEMA IF NOT EXISTS "{folder.name}";{SCHEMA.rstrip().rstrip(";")}'
        path = f'-c search_path="{folder.name}"'
        return Postgres.connect(options.db, autocommit=True, row_factory=dict_row, options=path)


def open_ledger() -> closing[Ledger]:
    """The ledger of the sweep, for one thread."""
    return closing((SharedLedger if options.db else OpenLedger)(options.sweep))


@DBOS.workflow()
def run_seed(seed: str) -> int:
    """The exit code of the last try of the seed; -1 if there was no room for it."""
    requests = 0
    while (run_id := reserve(seed)) != FULL:
        if run_id == WAIT:
            DBOS.sleep(min(PAUSE_S, 10) or 1)
            continue
        code, word = request(run_id, seed)
        requests += code not in (BUSY, INTERRUPTED)
        if word not in ("again", "interrupted") or requests >= options.attempts:
            return code
        DBOS.sleep(requests * PAUSE_S or 1)
    return -1


@DBOS.step()
def reserve(seed: str) -> str:
    """The run to request, after its cap is reserved; else whether it is worth to wait for room."""
    stay()
    with open_ledger() as ledger:
        try:
            return ledger.begin(seed, options.cap_usd, options.total_cap_usd, os.getpid())
        except NoRoom as full:
            return WAIT if full.waits else FULL


@DBOS.step()
def request(run_id: str, seed: str) -> tuple[int, str]:
    """How the run ended, which is started, continued, or has ended before. The ledger knows its cost."""
    stay()
    active.add(run_id)
    with open_ledger() as ledger:
        log = ledger.log_of(run_id)
    flags = ["--run-id", run_id, "--print-run-dir", "--cost-cap-usd", str(options.cap_usd), "--on-failure", "delete"]
    code = call(log, "run", "--config", options.config, "--var", f"seed={seed}", *flags)
    if code == 2 and (run_dir := read_run(log)[0]):  # another machine began it, and the folder that they share is ours
        code = call(log, "resume", run_dir, "--trust")
    with open_ledger() as ledger:
        word = ledger.end(run_id, code)
    if word == "halt":
        halt_path().write_text(str(code))
    active.discard(run_id)
    stay()
    return code, word


def stay() -> None:
    """Returns while this process works on the sweep. Else the step never ends here, and who goes on does it again."""
    if leaving.is_set() or halt_path().exists():
        threading.Event().wait()


def halt_path() -> Path:
    """The file that halts all machines, with the exit code of the run that did it."""
    return Path(options.sweep, "halt")


def call(log: Path, *words: str) -> int:
    """The exit code of a command that carries out a run."""
    with log.open("ab") as out:
        child = subprocess.Popen(
            ["runpod-deploy", *words, "--wait", "30d"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C reaches it once, from here
        )
    children.add(child)
    code = child.wait()
    children.discard(child)
    return code if code >= 0 else 128 - code


def take_over() -> None:
    """The seeds of processes that are gone are queued again: DBOS gives them only to the process that had them."""
    with open_ledger() as ledger, ledger.alone():  # two survivors must not queue the same seed twice
        for one in DBOS.list_workflows(status="PENDING", queue_name=options.sweep.name, load_input=False):
            if one.executor_id != me and is_gone(one.executor_id or "none"):
                print(f"seed {one.workflow_id}: taken over", file=sys.stderr, flush=True)
                DBOS.resume_workflow(one.workflow_id, queue_name=options.sweep.name)


def alive_path(process: str) -> Path:
    """The file that a process of the sweep holds a lock on: the system gives the lock back when the process ends."""
    return Path(options.sweep, f"{process}.alive")


def is_gone(process: str) -> bool:
    """Whether the process has ended."""
    with alive_path(process).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def follow(ids: list[str]) -> int:
    """The exit code of the sweep. If it ends early, the runs of this process have ended, too."""
    while not (leaving.is_set() or halt_path().exists()):
        take_over()
        ended = DBOS.list_workflows(workflow_ids=ids, status=["SUCCESS", "ERROR"])
        if len(ended) == len(ids):
            return 0 if all(one.output == 0 for one in ended) else 1
        leaving.wait(LOOK_S)
    told: set[subprocess.Popen[bytes]] = set()
    while active:
        for child in children - told if leaving.is_set() else ():
            child.send_signal(signal.SIGINT)  # it downloads its results so far and releases its pod
            told.add(child)
        time.sleep(0.2)
    return INTERRUPTED if leaving.is_set() else int(halt_path().read_text())


def main() -> int:
    """The exit code of the sweep."""
    parse_arguments()
    with open_ledger() as ledger:
        seeds = [checked(ledger, seed) for seed in dict.fromkeys(options.seeds)]
    halt_path().unlink(missing_ok=True)  # whoever gives the command again has looked at what halted it
    with alive_path(me).open("a") as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        code = carry_out(seeds)
    alive_path(me).unlink()
    with open_ledger() as ledger:
        print(text_table(ledger, seeds, os.environ.get("METRIC", "")))
    return code


def carry_out(seeds: list[str]) -> int:
    """The exit code of the sweep, after DBOS has done with the seeds."""
    DBOS(
        config={
            "name": "sweep",
            "system_database_url": options.db or f"sqlite:///{options.sweep / 'dbos.db'}",
            "executor_id": me,
            "application_version": "1",  # a change of this file does not orphan the seeds that have begun
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: leaving.set())
    DBOS.register_queue(options.sweep.name, global_concurrency=options.at_once, polling_interval_sec=LOOK_S)
    ids = {f"{options.sweep.name}-{seed}": seed for seed in seeds}
    for workflow_id, seed in ids.items():
        with SetWorkflowID(workflow_id):
            DBOS.enqueue_workflow(options.sweep.name, run_seed, seed)
    return follow(list(ids))


def parse_arguments() -> None:
    """The options are those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=Path, help="its folder, whose name is its name in the database")
    parser.add_argument("config", help="declares a variable `seed`")
    parser.add_argument("seeds", nargs="+")
    parser.add_argument("--db", help="the URL of a PostgreSQL database (SQLite in the folder)")
    parser.add_argument("--at-once", type=int, default=3, help="runs at the same time, on all machines together (3)")
    parser.add_argument("--attempts", type=int, default=3, help="tries for one seed (3)")
    parser.add_argument("--cap-usd", type=float, default=1.0, help="the most that one run may cost (1)")
    parser.add_argument("--total-cap-usd", type=float, default=20.0, help="the most for all runs (20)")
    parser.parse_args(namespace=options)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # workflows that wait here are continued by another process, or by the same command later
