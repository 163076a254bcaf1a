"""Each fault alone: the run ends as promised, with one pod at most and none left that nobody knows of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import WORK, Ended, Simulator, Tool, job, run

POST = "POST /v2/pods"
SLOW_BODY = WORK + "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.5; done\n"


def accounted(sim: Simulator) -> None:
    """One pod at most was made, and none bills."""
    ledger = sim.ledger
    assert ledger["pods_created"] <= 1 and ledger["pods_left"] == 0, ledger


def rehearse(sim: Simulator, folder: Path, *faults: dict[str, Any], **sections: Any) -> Ended:
    """One run under these faults."""
    for fault in faults:
        sim.fault(**fault)
    lifecycle = {"on_failure": "delete"}
    return run(sim, job(folder, body=SLOW_BODY, lifecycle=lifecycle, **sections))


# Faults that meet a run at different steps, or one after the other at one step, share a run.
SURVIVED: dict[str, list[dict[str, Any]]] = {
    "create answers 500 though the pod exists, ssh refuses three times, deletes are ignored twice": [
        {"where": POST, "what": "effect-then-500"},
        {"where": "pod", "what": "ssh-refused", "connections": 3},
        {"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "times": 2},
    ],
    "the create's answer is lost, ssh hangs once, the deleted pod stays listed": [
        {"where": POST, "what": "effect-then-reset"},
        {"where": "pod", "what": "ssh-hangs", "connections": 1},
        {"where": "pod", "what": "delete-lags", "seconds": 5},
    ],
    "502 HTML from the proxy, answers that are no JSON, an answer nested without end": [
        {"where": "GET /v2/pods/{id}", "what": "refuse", "status": 502, "html": True, "times": 3},
        {"where": "GET /v2/pods", "what": "nonsense", "times": 2},
        {"where": "GET /v2/pods/{id}", "what": "deep", "times": 2},
    ],
    "a small answer that unfolds to gigabytes, resets, slow answers": [
        {"where": "GET /v2/pods", "what": "unfolds", "megabytes": 256},
        {"where": "GET /v2/pods", "what": "reset", "times": 2},
        {"where": "*", "what": "slow", "seconds": 2, "times": 3},
    ],
    "an answer that comes a byte every five seconds, no stock in the first datacenter": [
        {"where": "GET /v2/pods/{id}", "what": "drip"},
        {"where": POST, "what": "no-stock", "datacenter": "EU-SE-1"},
    ],
    "429 with Retry-After, ssh drops while the job runs": [
        {"where": "*", "what": "rate-limited", "retry_after_s": 1, "times": 4},
        {"where": "pod", "what": "ssh-drops", "after_bytes": 40_000, "connections": 1},
    ],
    "the new pod is not listed, it boots slowly": [
        {"where": "pod", "what": "lag", "seconds": 4},
        {"where": "pod", "what": "slow-boot", "seconds": 4},
    ],
}


@pytest.mark.parametrize("names", SURVIVED)
def test_the_run_survives(sim: Simulator, tmp_path: Path, names: str) -> None:
    ended = rehearse(sim, tmp_path / "p", *SURVIVED[names])
    assert ended.code == 0, ended.err
    assert ended.run_dir and (ended.run_dir / "out/result.txt").read_text() == "result\n"
    assert (ended.run_dir / "run.log").read_text() == "".join(f"line {i}\n" for i in range(1, 7))
    spared = [fault["what"] for fault in sim.control("GET", "faults")["faults"] if not fault["fired"]]
    assert spared == []
    accounted(sim)


def test_a_line_that_is_cut_while_files_go_up_is_said_and_goes_on(sim: Simulator, tmp_path: Path) -> None:
    project = tmp_path / "p"
    data = {"label": "data", "source": "data/", "destination": "/workspace/data"}
    config = job(project, body=WORK + "sha256sum < /workspace/data/large\n", staging=[data])
    (project / "data").mkdir()
    (project / "data/large").write_bytes(b"".join(number.to_bytes(4) * 256 for number in range(200_000)))
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    pod_id = tool.await_event(lambda row: row["event"] == "stage_started")["pod_id"]
    sim.control("POST", f"pods/{pod_id}/drop-ssh")
    ended = tool.end()
    assert ended.code == 0 and ended.run_dir, ended.err
    assert "sending data: SSH: " in ended.err and "; trying again in 0.5 s" in ended.err
    digest = hashlib.sha256((project / "data/large").read_bytes()).hexdigest()
    assert (ended.run_dir / "run.log").read_text() == f"{digest}  -\n"


def test_no_stock_anywhere_is_3(sim: Simulator, tmp_path: Path) -> None:
    ended = rehearse(sim, tmp_path / "p", {"where": POST, "what": "no-stock"})
    assert ended.code == 3 and ended.manifest["failure"]["kind"] == "stock_out" and ended.manifest["failed"] is True
    assert len(ended.named("datacenter_failover")) == 4 and sim.ledger["pods_created"] == 0


def test_a_balance_that_is_used_up_is_4(sim: Simulator, tmp_path: Path) -> None:
    sim.control("PUT", "balance", {"usd": 0.0})
    ended = run(sim, job(tmp_path / "p"))
    assert ended.code == 4 and ended.manifest["failure"]["kind"] == "balance"


def test_a_pod_that_dies_is_22_within_30_s(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="pod", what="pod-dies", after_s=3)
    ended = run(sim, job(tmp_path / "p", body="sleep 600"))
    assert ended.code == 22, ended.err
    killed = ended.named("pod_killed_unexpected")[0]
    assert killed["gpu_id"] == "NVIDIA L40S" and killed["datacenter_id"] == "EU-SE-1" and killed["pod_id"]
    assert ended.manifest["failure"]["transient"] is True and sim.ledger["pods_left"] == 0


def test_a_pod_that_is_stopped_by_others_is_22(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="pod", what="pod-dies", after_s=3, **{"as": "exited"})
    ended = run(sim, job(tmp_path / "p", body="sleep 600", lifecycle={"on_failure": "delete"}))
    assert ended.code == 22 and ended.named("pod_killed_unexpected")[0]["state"] == "EXITED"
    assert sim.ledger["pods_left"] == 0


def test_a_host_that_never_boots_is_left_for_the_next(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="pod", what="never-running", nth=1)
    config = job(tmp_path / "p", body=WORK, budget={"ssh_ready_timeout_sec": 5})
    ended = run(sim, config)
    assert ended.code == 0, ended.err
    assert sim.ledger["pods_created"] == 2 and sim.ledger["pods_left"] == 0
    assert ended.named("pod_abandoned") and ended.named("pod_discarded")


def test_no_host_that_boots_is_6(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="pod", what="sshd-never", times=0)
    ended = run(sim, job(tmp_path / "p", budget={"ssh_ready_timeout_sec": 4}))
    assert ended.code == 6 and ended.manifest["failure"]["kind"] == "boot_timeout" and sim.ledger["pods_left"] == 0


def test_a_delete_that_is_never_confirmed_is_9_and_loud(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="DELETE /v2/pods/{id}", what="delete-ignored", times=0)
    ended = run(sim, job(tmp_path / "p", body=WORK))
    assert ended.code == 9 and ended.manifest["outcome"] == "unreleased"
    pod_id = sim.ledger["pods"][0]["id"]
    assert pod_id in ended.err.splitlines()[-1] and "MAY STILL BE BILLING" in ended.err.splitlines()[-1]


def test_a_container_that_restarts_loses_the_job_and_says_so(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body="sleep 600", lifecycle={"on_failure": "delete"})
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    (pod,) = sim.control("GET", "pods")["pods"]
    sim.control("POST", f"pods/{pod['id']}/kill-container")
    ended = tool.end(90)
    assert ended.code == 22, ended.err
    assert sim.ledger["pods_left"] == 0
