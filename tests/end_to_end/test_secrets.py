"""Secrets arrive, and are seen nowhere else: not in any argument, answer or record, and not on a disk that stays."""

from __future__ import annotations

import hashlib
import json
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.simulator import Simulated
from tests.support.harness import WORK, Ended, Simulator, Tool, job
from tests.support.shell_grounds import command_lines

CANARY = "canary-5d1b"
TOKEN = f'{CANARY} it\'s "$HOME" `id` & <\\> é #'
ENV = {"HF_TOKEN": TOKEN, "OTHER": f"{CANARY}-other"}
WANDB = f"{CANARY} from .env"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
ARRIVED = WORK + 'printf %s "$HF_TOKEN" | sha256sum; python3 -c "import os; print(len(os.environ[\'OTHER\']))"\n'
SECRETS = [
    {"name": "tokens", "env": ["HF_TOKEN", "OTHER"], "destination": "/workspace/keys/hf env"},
    {"env_file": ".env"},
    {"name": "netrc", "file": "netrc", "destination": "/workspace/keys/netrc", "mode": "0400"},
]
OF_FILE = hashlib.sha256(WANDB.encode()).hexdigest()
TELL = 'printf %s "$WANDB_API_KEY" | sha256sum'
MODES = "stat -L -c %a '/workspace/keys/hf env' /workspace/keys/netrc; sha256sum < /workspace/keys/netrc\n"
NETWORK: dict[str, Any] = {
    "storage": {"mode": "network_volume", "volume_name": "shared", "volume_mount": "/workspace"},
    "pod": {"datacenters": ["US-TX-3"]},
}


def config(folder: Path, body: str, **sections: Any) -> Path:
    """A job with both kinds of secrets, whose pod stays, paused, whatever becomes of it."""
    folder.mkdir(parents=True)
    (folder / "netrc").write_text(f"machine hub login x password {CANARY}-file\n")
    (folder / ".env").write_text(f"# mine\nWANDB_API_KEY='{WANDB}'\nRUNPOD_API_KEY=x\n")
    sections.update(setup=[{"command": f"{TELL} >/tmp/told"}], preflight=[{"command": f"{TELL} >>/tmp/told"}])
    return job(folder, body=body, secrets=SECRETS, lifecycle={"on_success": "stop", "on_failure": "stop"}, **sections)


class Argv(threading.Thread):
    """Every argument of every process of this machine, and so of the simulated pod, looked at again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()
        self.seen: set[bytes] = set()

    def run(self) -> None:
        while not self.over.wait(0.002):
            self.seen.update(command_lines())


@contextmanager
def argv() -> Iterator[set[bytes]]:
    """What was seen in the meantime."""
    watcher = Argv()
    watcher.start()
    try:
        yield watcher.seen
    finally:
        watcher.over.set()
        watcher.join()


def disks(sim: Simulator) -> Path:
    """Where the simulator keeps what is on pods and volumes."""
    holders = Path(tempfile.gettempdir()).glob("runpod-sim-*/pid")
    return next(path.parent for path in holders if path.read_text().strip() == str(sim.process.pid))


def files_with(text: str, *roots: Path) -> list[Path]:
    """All files below these folders that hold the text anywhere."""
    files = [path for root in roots for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if text.encode() in content(path)]


def content(path: Path) -> bytes:
    """What the file holds; nothing if it has gone meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def told(sim: Simulator) -> str:
    """All that the cloud could tell of its pods."""
    return json.dumps([sim.control("GET", "pods"), api(sim).call("GET", "/v2/pods")])


def api(sim: Simulator) -> Simulated:
    """The cloud's own API, with the account's key."""
    return Simulated(sim.exports["RUNPOD_API_BASE_URL"], sim.exports["RUNPOD_API_KEY"])


def is_unseen(sim: Simulator, ended: Ended, project: Path, seen: set[bytes]) -> None:
    """The values are in no argument, answer, line or file but the one that they came from."""
    assert len(seen) > 20 and not [words for words in seen if CANARY.encode() in words]
    assert CANARY not in ended.out + ended.err + told(sim)
    assert sorted(files_with(CANARY, project, sim.home)) == [project / ".env", project / "netrc"]
    key = sim.exports["RUNPOD_API_KEY"]
    assert not [words for words in seen if key.encode() in words]
    assert key not in ended.out + ended.err and not files_with(key, project)


@pytest.mark.parametrize("storage", ["ephemeral", "network"])
def test_secrets_reach_the_job_and_nothing_else(sim: Simulator, tmp_path: Path, storage: str) -> None:
    if storage == "network":
        api(sim).call("POST", "/v2/network-volumes", {"name": "shared", "size": 10, "dataCenter": "US-TX-3"})
    path = config(
        tmp_path / "p", ARRIVED + MODES + f"cat /tmp/told; {TELL}\n", **(NETWORK if storage == "network" else {})
    )
    with argv() as seen:
        ended = Tool(sim, "run", "--config", str(path), "--print-run-dir", "-v", env=ENV).end()
    assert ended.code == 0 and ended.run_dir, ended.err
    netrc = hashlib.sha256((tmp_path / "p/netrc").read_bytes()).hexdigest()
    log = (ended.run_dir / "run.log").read_text().split()
    assert log == [DIGEST, "-", str(len(ENV["OTHER"])), "600", "400", netrc, "-", *[OF_FILE, "-"] * 3]
    is_unseen(sim, ended, tmp_path / "p", seen)
    assert not files_with(CANARY, disks(sim)), "what stays on the disk of a paused pod, or on a volume, is not ours"


def test_they_come_off_though_the_run_is_killed_and_resumed_and_interrupted(sim: Simulator, tmp_path: Path) -> None:
    path = config(tmp_path / "p", WORK + "sleep 60\n")
    tool = Tool(sim, "run", "--config", str(path), "--print-run-dir", env=ENV)
    tool.await_event(lambda row: row["event"] == "job_launched")
    assert not files_with(CANARY, disks(sim)), "they are in the pod's memory only, while the job runs"
    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    with argv() as seen:
        again = Tool(sim, "resume", str(tool.run_dir), env=ENV)
        again.first = tool.first
        again.await_event(lambda row: row["event"] == "run_resumed")
        again.signal(signal.SIGINT)
        ended = again.end()
    assert ended.code == 130, ended.err
    is_unseen(sim, ended, tmp_path / "p", seen)
    assert not files_with(CANARY, disks(sim))


def test_a_run_can_be_taken_up_without_them_once_its_job_runs(sim: Simulator, tmp_path: Path) -> None:
    path = config(tmp_path / "p", WORK + "sleep 3\n" + ARRIVED)
    tool = Tool(sim, "run", "--config", str(path), "--print-run-dir", "--detach", "--leave-to-guard", env=ENV)
    assert tool.end().code == 0
    ended = Tool(sim, "resume", str(tool.run_dir)).end()
    assert ended.code == 0, ended.err
    assert DIGEST in (tool.run_dir / "run.log").read_text() if tool.run_dir else False


def test_what_is_missing_is_said_before_anything_is_paid(sim: Simulator, tmp_path: Path) -> None:
    path = config(tmp_path / "p", WORK)
    (tmp_path / "p/netrc").unlink()
    ended = Tool(sim, "run", "--config", str(path)).end()
    assert ended.code == 2
    for name in ("HF_TOKEN", "OTHER", "netrc"):
        assert name in ended.err, ended.err
    assert sim.ledger["pods_created"] == 0
