"""A run among pods, keys and answers that mislead, from beginning to end on the simulator."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import WORK, Simulator, Tool, job, run

POST, POD = "POST /v2/pods", "/v2/pods/{id}"
LIFECYCLE = {"lifecycle": {"on_failure": "delete"}}

SURVIVED: dict[str, list[dict[str, Any]]] = {
    "the pod comes after its create call has failed": [{"what": "late-create", "seconds": 3}],
    "the API shortens the pod's name, and the create's answer is lost": [
        {"what": "short-name"},
        {"where": POST, "what": "effect-then-reset"},
    ],
    "a delete answers 404 though the pod runs": [
        {"where": f"DELETE {POD}", "what": "refuse", "status": 404, "detail": "pod not found"}
    ],
}


@pytest.mark.parametrize("name", SURVIVED)
def test_the_run_survives(sim: Simulator, tmp_path: Path, name: str) -> None:
    for fault in SURVIVED[name]:
        sim.fault(**fault)
    ended = run(sim, job(tmp_path / "p", body=WORK, **LIFECYCLE))
    assert ended.code == 0, ended.err
    assert sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0


def machine(tmp_path: Path, name: str) -> dict[str, str]:
    """The environment of a machine with a home of its own, and with the user's key."""
    ssh = tmp_path / name / ".ssh"
    ssh.mkdir(parents=True)
    key = tmp_path / "key"
    if not key.exists():
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)), check=True)
    for suffix in ("", ".pub"):
        shutil.copy(f"{key}{suffix}", ssh / f"id_ed25519{suffix}")
    return {"HOME": str(ssh.parent)}


UNTIL_GO = WORK + "echo once >> /workspace/out/starts\nuntil [ -e /workspace/go ]; do sleep 0.1; done\n"
LONG_AGO = (
    "cd /workspace/.runpod-deploy/same; mv -f contact guard/ 2>/dev/null; touch -d @1 guard/contact guard/lease.*; "
    "touch /workspace/go"
)
"""Nobody was in touch with the pod for long, and the job may end."""


def test_one_run_id_on_two_machines_is_one_run_that_outlives_the_machine_that_began_it(
    sim: Simulator, tmp_path: Path
) -> None:
    homes, shared = [machine(tmp_path, name) for name in ("a", "b")], ("--journal", str(tmp_path / "shared"))
    configs = [job(tmp_path / f"project-{name}", body=UNTIL_GO, **LIFECYCLE) for name in ("a", "b")]
    asked = [("run", "--config", str(config), "--print-run-dir", "--run-id", "same", *shared) for config in configs]
    tools = [Tool(sim, *args, env=env) for args, env in zip(asked, homes, strict=True)]
    while all(tool.process.poll() is None for tool in tools):
        time.sleep(0.05)
    loser = 0 if tools[0].process.poll() is not None else 1
    winner = tools[1 - loser]
    lost = tools[loser].end()
    assert lost.code == 8 and "run same" in lost.err.splitlines()[-3], lost.err
    pod_id = winner.await_event(lambda row: row["event"] == "job_launched")["pod_id"]
    assert [pod["id"] for pod in sim.ledger["pods"] if pod["ended"] is None] == [pod_id]
    winner.signal(signal.SIGKILL)
    winner.process.communicate()
    assert winner.run_dir
    gone = Tool(sim, "ssh", str(winner.run_dir), "--", LONG_AGO, env=homes[1 - loser]).end()
    assert gone.code == 0, gone.err
    ended = Tool(sim, *asked[loser], env=homes[loser]).end()
    assert ended.code == 0, ended.err
    assert ended.run_dir and (ended.run_dir / "out" / "starts").read_text() == "once\n"
    assert ended.manifest["adopted_from"] == socket.gethostname() and ended.manifest["pod_id"] == pod_id
    assert sim.ledger["pods_left"] == 0
    third = Tool(sim, "run", "--config", str(job(tmp_path / "c", body=UNTIL_GO)), "--run-id", "same", *shared).end()
    assert third.code == 7 and str(ended.run_dir) in third.err and not (tmp_path / "c" / "artifacts").exists()


def test_a_key_of_another_account_ends_nothing_and_is_exit_4(sim: Simulator, tmp_path: Path) -> None:
    body = "sleep 60\n"
    ended = run(sim, job(tmp_path / "p", body=body, **LIFECYCLE), "--detach", "--leave-to-guard")
    assert ended.code == 0 and ended.run_dir
    sim.fault(where="*", what="other-account", times=0)
    other = {"RUNPOD_API_KEY": f"{sim.exports['RUNPOD_API_KEY']}-other"}
    again = Tool(sim, "resume", str(ended.run_dir), env=other).end()
    assert again.code == 4 and "another API key" in again.err
    audit = Tool(sim, "audit", "--root", str(ended.run_dir.parent), env=other).end()
    assert audit.code == 0 and sim.ledger["pods_left"] == 1
    sim.control("DELETE", "faults")
    sim.kill_pods()


def test_a_locked_pod_is_named_in_the_last_line_and_found_by_an_audit(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(what="locked")
    ended = run(sim, job(tmp_path / "p", body="exit 3\n", lifecycle={"on_failure": "stop"}))
    assert ended.code == 9 and "it is locked" in ended.err.splitlines()[-1]
    assert ended.run_dir
    audit = Tool(sim, "audit", "--root", str(ended.run_dir.parent)).end()
    assert audit.code == 9 and "locked" in audit.err
    sim.kill_pods()


def test_a_pod_that_was_moved_with_its_job_is_named_and_deleted_by_its_id(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(what="migrates", after_s=5)
    ended = run(sim, job(tmp_path / "p", body="sleep 60\n", **LIFECYCLE))
    (pod_id,) = [pod["id"] for pod in sim.ledger["pods"] if pod["ended"] is None]
    assert ended.code == 9 and ended.run_dir, ended.err
    assert f"POD {pod_id} MAY STILL BE BILLING" in ended.err.splitlines()[-1]
    assert f"audit --reap --pod {pod_id}" in ended.err
    audit = Tool(sim, "audit", "--reap", "--yes", "--pod", pod_id, "--root", str(ended.run_dir.parent)).end()
    assert audit.code == 0 and sim.ledger["pods_left"] == 0
