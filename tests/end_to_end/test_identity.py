"""A run among pods, keys and answers that mislead, from beginning to end on the simulator."""

from __future__ import annotations

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


def test_the_same_run_id_in_two_folders_is_two_runs_that_do_not_touch_each_other(
    sim: Simulator, tmp_path: Path
) -> None:
    body = WORK + "until [ -e /workspace/go ]; do sleep 0.1; done\n"
    first = Tool(sim, "run", "--config", str(job(tmp_path / "a", body=body)), "--print-run-dir", "--run-id", "same")
    pod_id = first.await_event(lambda row: row["event"] == "job_launched")["pod_id"]
    sim.fault(where=POST, what="effect-then-reset")
    second = run(sim, job(tmp_path / "b", body=WORK, **LIFECYCLE), "--run-id", "same")
    assert second.code == 0, second.err
    assert pod_id not in {row.get("pod_id") for row in second.events}
    assert [pod["id"] for pod in sim.ledger["pods"] if pod["ended"] is None] == [pod_id]
    first.signal(2)
    assert first.end().code == 130 and sim.ledger["pods_left"] in (0, 1)
    sim.kill_pods()


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
    ended = run(sim, job(tmp_path / "p", body="exit 3\n", lifecycle={"on_failure": "stop"}), within_s=100)
    assert ended.code == 9 and "it is locked" in ended.err.splitlines()[-1]
    assert ended.run_dir
    audit = Tool(sim, "audit", "--root", str(ended.run_dir.parent)).end()
    assert audit.code == 9 and "locked" in audit.err
    sim.kill_pods()
