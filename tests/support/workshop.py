"""A folder as a new user has it after cloning, and commands rehearsed in it on a simulated cloud of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS_DIR = Path(sys.executable).parent
COMMIT = "git init -q && git add . && git -c user.name=a -c user.email=a@example.org commit -qm 'As cloned'"
LEFT_BY_RUNS = shutil.ignore_patterns("artifacts", "results", "out", "__pycache__")


@dataclass(frozen=True)
class Rehearsal:
    """How a command ended, what it printed, and what the cloud saw."""

    exit_code: int
    output: str
    ledger: dict[str, Any]


@dataclass(frozen=True)
class Workshop:
    """Examples and recipes, in a folder of its own, with an empty home."""

    dir: Path
    home: Path

    def environment(self) -> dict[str, str]:
        """What a login shell would have, and nothing of ours."""
        path = f"{COMMANDS_DIR}{os.pathsep}/usr/local/bin:/usr/bin:/bin"
        return {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", "RETRY_AFTER_S": "0"}

    def run(
        self, *command: str, env: dict[str, str] | None = None, within_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """The ended command, stderr in its stdout. Raises TimeoutExpired, leaving nothing behind."""
        process = subprocess.Popen(
            command,
            cwd=self.dir,
            env=self.environment() | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            end_session(process)
            raise
        return subprocess.CompletedProcess(command, process.returncode, printed, "")

    def rehearse(
        self,
        *command: str,
        faults: Sequence[dict[str, Any]] = (),
        env: dict[str, str] | None = None,
        within_s: float = 300,
        egress: bool = False,
    ) -> Rehearsal:
        """The ended command, on a simulated cloud with these faults; with egress, pods have this machine's network."""
        ledger_path = self.home / "ledger.json"
        flags = [part for fault in faults for part in ("--fault", json.dumps(fault))]
        flags += ["--egress"] if egress else []
        words = ("runpod-sim", "exec", "--ledger", str(ledger_path), *flags, "--", *command)
        done = self.run(*words, env=env, within_s=within_s)
        ledger = json.loads(ledger_path.read_text()) if ledger_path.exists() else {}
        return Rehearsal(done.returncode, done.stdout, ledger)


def end_session(process: subprocess.Popen[str]) -> None:
    """The process and all that it started are gone."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def open_workshop(folder: Path) -> Workshop:
    """A new workshop below the folder."""
    for part in ("examples", "recipes"):
        shutil.copytree(REPOSITORY / part, folder / "clone" / part, ignore=LEFT_BY_RUNS)
    shutil.copy(REPOSITORY / ".gitignore", folder / "clone")
    (folder / "home").mkdir()
    workshop = Workshop(folder / "clone", folder / "home")
    committed = workshop.run("sh", "-c", COMMIT)
    assert committed.returncode == 0, committed.stdout
    return workshop
