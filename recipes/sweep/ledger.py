#!/usr/bin/env python3
"""The ledger of a sweep: one small database in its folder, with one row for each try. All loops here use it.

    ledger.py lock DIR FD          locks DIR for the shell that holds the file descriptor FD
    ledger.py order DIR SEED...    the seeds, those with a run that has not ended first: they need no new money
    ledger.py begin DIR SEED PID   the run id that process PID requests for the seed, after its cap is reserved
    ledger.py end DIR RUN_ID CODE  records how a request ended; prints done, failed, again, halt or interrupted
    ledger.py table DIR SEED...    the table; exit 1 if a seed has not succeeded

`begin` exits with 3 if the seed has its result, 4 if an active run may leave room under the total, 5 if there is no
room. CAP_USD and TOTAL_CAP_USD are the caps of one run and of the sweep; METRIC, such as accuracy or loss:min, is shown
beside the cost. Needs Python 3.9 or newer and no packages.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MANIFEST = "runpod_deploy_pull_manifest.json"
TRANSIENT = {3, 5, 6, 8, 22}  # no stock, API down, pod lost, held by another process, pod killed: these may disappear
HALTING = {4, 9}  # no key or no money; a pod that may still cost money: no other seed would succeed
INTERRUPTED = 130
RESULTS = {0, 20, 21}  # the job succeeded, failed, or met a limit: another try would end in the same way
LONGEST_ID = 60
SCHEMA = """
CREATE TABLE IF NOT EXISTS sweep (id TEXT);
CREATE TABLE IF NOT EXISTS tries (
  seed TEXT, number INTEGER, run_id TEXT UNIQUE, cap_usd DOUBLE PRECISION, driver INTEGER, is_open INTEGER DEFAULT 1,
  code INTEGER, reason TEXT, usd DOUBLE PRECISION, metrics TEXT DEFAULT '{}', run_dir TEXT, PRIMARY KEY (seed, number));
"""


class NoRoom(Exception):
    """The total leaves no room for another run; `waits` tells whether an active run may still leave some."""

    def __init__(self, waits: bool) -> None:
        super().__init__("the total cap leaves no room")
        self.waits = waits


class Ledger:
    """The tries of one sweep, in a folder."""

    lock_sql, schema_sql = "BEGIN EXCLUSIVE", SCHEMA

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.db = folder, self.connect(folder)
        with self.alone():
            for statement in self.schema_sql.split(";"):
                self.db.execute(statement)
            if not self.db.execute("SELECT id FROM sweep").fetchone():
                name = time.strftime("sweep-%y%m%dT%H%M%S-", time.gmtime()) + str(os.getpid())
                self.db.execute("INSERT INTO sweep VALUES (?)", [name])
        self.id = str(self.db.execute("SELECT id FROM sweep").fetchone()["id"])

    def connect(self, folder: Path) -> Any:
        """The connection to the database."""
        db = sqlite3.connect(folder / "ledger.db", timeout=60, isolation_level=None)
        db.row_factory = sqlite3.Row
        return db

    def close(self) -> None:
        """The connection is closed."""
        self.db.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other process reads or writes meanwhile, and after a crash nothing of this has happened."""
        self.db.execute(self.lock_sql)
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def tries(self, seed: str) -> list[Any]:
        """The tries of a seed, in order."""
        return list(self.db.execute("SELECT * FROM tries WHERE seed = ? ORDER BY number", [seed]).fetchall())

    def has_result(self, seed: str) -> bool:
        """Whether no other try of the seed is wanted."""
        last = self.tries(seed)[-1:]
        return bool(last) and not last[0]["is_open"] and (last[0]["code"] in RESULTS or last[0]["reason"] == "stopped")

    def order(self, seeds: Iterable[str]) -> list[str]:
        """The seeds, those with a run that has not ended first."""
        return sorted(dict.fromkeys(seeds), key=lambda seed: not any(one["is_open"] for one in self.tries(seed)))

    def begin(self, seed: str, cap_usd: float, total_usd: float, driver: int) -> str:
        """The id of the run to request: of the try that has not ended, or of a new one. Raises NoRoom."""
        with self.alone():
            tries = self.tries(seed)
            if tries and tries[-1]["is_open"]:
                self.db.execute("UPDATE tries SET driver = ? WHERE run_id = ?", [driver, tries[-1]["run_id"]])
                return str(tries[-1]["run_id"])
            if self.used_usd() + cap_usd > total_usd + 1e-9:
                raise NoRoom(self.is_active())
            run_id = f"{self.id}-{seed}.{len(tries) + 1}"
            row = [seed, len(tries) + 1, run_id, cap_usd, driver]
            self.db.execute("INSERT INTO tries (seed, number, run_id, cap_usd, driver) VALUES (?, ?, ?, ?, ?)", row)
            return run_id

    def used_usd(self) -> float:
        """The sum over all seeds of this folder: what was paid, and the caps of runs that have not ended."""
        found = self.db.execute("SELECT coalesce(sum(coalesce(usd, cap_usd)), 0) AS usd FROM tries").fetchone()
        return float(found["usd"])

    def is_active(self) -> bool:
        """Whether a process of this machine is at work on a run."""
        drivers = self.db.execute("SELECT DISTINCT driver FROM tries WHERE is_open = 1").fetchall()
        return any(is_alive(row["driver"]) for row in drivers)

    def end(self, run_id: str, code: int) -> str:
        """What follows from the exit code: done, failed, again, halt, or interrupted.

        A try is open until its manifest says how the run ended and what it cost: the next call asks for the same run.
        """
        run_dir, manifest = read_run(self.log_of(run_id))
        ended = manifest.get("exit_code") is not None and code not in (8, 9)
        nothing = not run_dir and code in (2, 4)  # refused before there was a run
        cost = manifest.get("estimated_cost_usd") if ended else 0.0 if nothing else None
        reason = (manifest.get("failure") or {}).get("kind") or manifest.get("outcome")
        if code == INTERRUPTED and was_stopped(run_dir):
            reason = "stopped"
        metrics = json.dumps(manifest.get("metrics") or {})
        values = [int(not (ended or nothing)), code, reason, cost, metrics, run_dir, run_id]
        with self.alone():
            self.db.execute(
                "UPDATE tries SET is_open=?, code=?, reason=?, usd=?, metrics=?, run_dir=? WHERE run_id=?", values
            )
        if code == INTERRUPTED:
            return "failed" if reason == "stopped" else "interrupted"
        known = code in RESULTS or code in (2, 7)
        return "halt" if code in HALTING else "done" if code == 0 else "failed" if known else "again"

    def log_of(self, run_id: str) -> Path:
        """The log of a try."""
        return self.folder / f"{run_id[len(self.id) + 1 :]}.log"

    def rows(self, seeds: Iterable[str]) -> list[dict[str, Any]]:
        """The table: one row for each try of these seeds. The cost is None while it is not known."""
        found = [one for seed in seeds for one in self.tries(seed)]
        return [
            {
                "seed": one["seed"],
                "try": one["number"],
                "exit": one["code"],
                "reason": one["reason"],
                "usd": one["usd"],
                "run_dir": one["run_dir"],
                "metrics": json.loads(one["metrics"]),
            }
            for one in found
        ]


def is_alive(pid: int) -> bool:
    """Whether this machine has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read_run(log: Path) -> tuple[str, dict[str, Any]]:
    """The folder that a run named in the first lines of its log, and its manifest; empty if there is none."""
    try:
        with log.open(errors="replace") as lines:
            run_dir = next((line[len("RUN_DIR=") :].rstrip("\n") for line in lines if line.startswith("RUN_DIR=")), "")
        return run_dir, json.loads(Path(run_dir or os.devnull, MANIFEST).read_text())
    except (OSError, ValueError):
        return "", {}


def was_stopped(run_dir: str) -> bool:
    """Whether somebody ended this run by its name, `runpod-deploy stop RUN --delete`: a decision, not an accident."""
    try:
        rows = [json.loads(line) for line in Path(run_dir, "events.jsonl").read_text().splitlines()]
    except (OSError, ValueError):
        return False
    return any(row.get("event") == "interrupted" and row.get("release") for row in rows)


def lock(folder: Path, fd: int) -> str:
    """The folder belongs to who holds the file descriptor, until that process ends; else who has it instead."""
    path = folder / "lock"
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text().strip() or "another process"
    except OSError as error:  # this file system has no locks
        print(f"{folder} cannot be locked ({error.strerror}): start no second sweep in it", file=sys.stderr)
    path.write_text(f"process {os.getppid()} on {socket.gethostname()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    return ""


def checked(ledger: Ledger, seed: str) -> str:
    """The seed, if it can be part of a run id and of a file name. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", seed):
        raise ValueError(f"{seed!r}: a seed is letters, digits, dots, dashes, underscores")
    if len(f"{ledger.id}-{seed}.999") > LONGEST_ID:
        raise ValueError(f"{seed!r}: a seed has at most {LONGEST_ID - len(ledger.id) - 5} characters")
    return seed


def text_table(ledger: Ledger, seeds: list[str], metric: str = "") -> str:
    """The table as text, with the metric beside the cost; the best is marked."""
    name, _, direction = metric.partition(":")
    line = "{:<8} {:<3} {:<4} {:<21} {:<8} {}{}".format
    rows = ledger.rows(seeds)
    best = best_of(rows, name, -1 if direction == "min" else 1)
    lines = [line("SEED", "TRY", "EXIT", "REASON", "USD", f"{name.upper()[:11]:<12} " if name else "", "RUN_DIR")]
    for row in rows:
        mark = f"{show(row['metrics'].get(name))}{'*' if row is best else ''}"
        cells = [show(row[key]) for key in ("seed", "try", "exit", "reason", "usd")]
        lines.append(line(*cells, f"{mark:<12} " if name else "", show(row["run_dir"])))
    return "\n".join(lines)


def best_of(rows: list[dict[str, Any]], name: str, sign: int) -> dict[str, Any] | None:
    """The row of the successful try with the best value."""
    having = [row for row in rows if row["exit"] == 0 and isinstance(row["metrics"].get(name), (int, float))]
    return max(having, key=lambda row: float(row["metrics"][name]) * sign, default=None)


def show(value: object) -> str:
    """A cell of the table."""
    return "-" if value in (None, "") else f"{value:.6g}" if isinstance(value, float) else str(value)


def complaints(ledger: Ledger, seeds: list[str]) -> list[str]:
    """A line for each seed that has not succeeded."""
    lines = []
    for seed in seeds:
        code = next((one["code"] for one in reversed(ledger.tries(seed))), "none")
        if code != 0:
            lines.append(f"seed {seed}: " + ("not started" if code == "none" else f"exit {show(code)}"))
    return lines


def main(words: list[str]) -> int:
    """The exit code of one command."""
    command, folder, *rest = words
    if command == "lock":
        holder = lock(Path(folder), int(rest[0]))
        if holder:
            print(f"{folder} is in use by {holder}: wait for its end, or use another folder", file=sys.stderr)
        return 8 if holder else 0
    ledger = Ledger(Path(folder))
    caps = float(os.environ.get("CAP_USD", "1")), float(os.environ.get("TOTAL_CAP_USD", "20"))
    if command == "order":
        print(*ledger.order(checked(ledger, seed) for seed in rest), sep="\n")
    elif command == "begin":
        if ledger.has_result(rest[0]):
            return 3
        print(ledger.begin(rest[0], *caps, int(rest[1])))
    elif command == "end":
        print(ledger.end(rest[0], int(rest[1])))
    else:
        print(text_table(ledger, rest, os.environ.get("METRIC", "")))
        wanting = complaints(ledger, rest)
        print(*wanting, f"spent or reserved: {ledger.used_usd():.2f} of {caps[1]:.2f} USD", sep="\n", file=sys.stderr)
        return 1 if wanting else 0
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NoRoom as full:
        sys.exit(4 if full.waits else 5)
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
