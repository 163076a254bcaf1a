"""Whole runs against an API that refuses, answers oddly, or delivers something else: the run does what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import WORK, Simulator, Tool, job, run

POST = "POST /v2/pods"
GATEWAY = {"what": "edge-refuses"}
SURVIVED: dict[str, list[dict[str, Any]]] = {
    "a gateway and a key that is being changed": [
        {"where": POST, **GATEWAY, "times": 2},
        {"where": "GET /v2/catalog/gpus", **GATEWAY, "form": "text", "status": 401},
        {"where": "GET /v2/pods", "what": "key-refused", "lasts_s": 2},
        {"where": "DELETE /v2/pods/{id}", "what": "key-refused"},
        {"where": "DELETE /v2/pods/{id}", **GATEWAY, "form": "html"},
    ],
    "odd rows and odd fields": [
        {"where": "GET /v2/pods", "what": "odd-rows", "times": 0},
        {"where": "GET /v2/catalog/gpus", "what": "odd-rows", "times": 0},
        {
            "where": "pod",
            "what": "odd-fields",
            "fields": {
                "disk": "much",
                "mounts.persistent.size": "10 GB",
                "createdAt": 1787206579436,
                "startedAt": None,
                "runtime.uptime": "3 s",
                "ssh": "ssh root@127.0.0.1",
                "gpu.count": None,
                "locked": "no",
            },
        },
        {"where": "pod", "what": "other-price", "usd_per_hour": "NaN"},
    ],
    "candidates that are refused in other words": [
        {"where": POST, "what": "refuse", "status": 422, "detail": "$.gpu.id: value must be one of the allowed values"},
        {
            "where": POST,
            "what": "refuse",
            "status": 500,
            "detail": "create pod: There are no instances currently available",
        },
    ],
}


@pytest.mark.parametrize("name", SURVIVED)
def test_the_run_survives(sim: Simulator, tmp_path: Path, name: str) -> None:
    for fault in SURVIVED[name]:
        sim.fault(**fault)
    ended = run(sim, job(tmp_path / "p", body=WORK))
    assert ended.code == 0, ended.err
    assert sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0
    assert [fault for fault in sim.control("GET", "faults")["faults"] if not fault["fired"]] == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"what": "other-delivery", "gpus": 0}, "0 GPUs instead of 1"),
        ({"what": "other-price", "usd_per_hour": 9.5}, "$9.50/hr is over the limit of $2.00/hr"),
    ],
)
def test_what_was_not_asked_for_is_released_and_the_next_is_tried(
    sim: Simulator, tmp_path: Path, fault: dict[str, Any], words: str
) -> None:
    sim.fault(where="pod", **fault)
    ended = run(sim, job(tmp_path / "p", body=WORK, budget={"max_gpu_price": 2.0}))
    assert ended.code == 0, ended.err
    assert words in ended.err
    assert sim.ledger["pods_created"] == 2 and sim.ledger["pods_left"] == 0
    assert [row["until_utc"] is None for row in ended.manifest["pods"]] == [False, False]


def test_an_image_that_does_not_exist_is_2_soon_and_its_host_s_words_stay(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="pod", what="image-pull-fails", cause="not-found")
    ended = run(sim, job(tmp_path / "p", body=WORK))
    assert ended.code == 2 and ended.manifest["failure"]["kind"] == "image", ended.err
    assert "there is no such image" in ended.err and sim.ledger["pods_left"] == 0
    shown = Tool(sim, "logs", str(ended.run_dir), "--system").end(20)
    assert "manifest unknown" in shown.out and shown.code == 0, shown.err


def test_a_pod_without_a_public_ssh_port_is_named_as_that(sim: Simulator, tmp_path: Path) -> None:
    sim.fault(where="pod", what="no-ssh-port", times=0)
    ended = run(sim, job(tmp_path / "p", body=WORK, budget={"ssh_ready_timeout_sec": 4}))
    assert ended.code == 6 and sim.ledger["pods_left"] == 0, ended.err
    assert "RunPod shows no public address for its SSH port" in ended.err


def test_a_balance_that_runs_out_is_4_and_was_said_before(sim: Simulator, tmp_path: Path) -> None:
    sim.control("PUT", "balance", {"usd": 3.0})
    sim.fault(where="pod", what="balance-runs-out", after_s=6)
    ended = run(sim, job(tmp_path / "p", body="sleep 600"))
    assert ended.code == 4 and ended.manifest["failure"]["kind"] == "balance", ended.err
    assert "WARNING: the account has $3.00" in ended.err and ended.named("balance_low")
