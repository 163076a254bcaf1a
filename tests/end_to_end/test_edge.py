"""The edge to the cloud at its worst: stock that vanishes at create time, and storms in every phase of a run."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from tests.support.harness import WORK, Simulator, job, run

GPUS = ["NVIDIA L40S", "NVIDIA RTX A5000", "NVIDIA A40"]
DATACENTERS = ["EU-SE-1", "US-TX-3", "EU-RO-1"]


def test_the_sixth_of_nine_is_taken_and_five_rows_tell_why(sim: Simulator, tmp_path: Path) -> None:
    combinations = [(gpu, datacenter) for datacenter, gpu in product(DATACENTERS, GPUS)]
    for gpu, datacenter in combinations[:5]:
        sim.control("PUT", "stock", {"gpu": gpu, "datacenter": datacenter, "count": 64})
        sim.fault(where="POST /v2/pods", what="no-stock", gpu=gpu, datacenter=datacenter)
    for gpu, datacenter in combinations[5:]:
        sim.control("PUT", "stock", {"gpu": gpu, "datacenter": datacenter, "count": 64})
    ended = run(sim, job(tmp_path / "p", body=WORK, pod={"gpu_order": GPUS, "datacenters": DATACENTERS}))
    assert ended.code == 0, ended.err
    rows = ended.named("datacenter_failover")
    assert [(row["gpu_id"], row["datacenter_id"]) for row in rows] == combinations[:5]
    assert all("no longer any instances" in row["reason"] for row in rows)
    assert (ended.manifest["gpu_id"], ended.manifest["datacenter_id"]) == combinations[5]
    assert sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0


def test_storms_in_every_phase_and_never_more_requests_than_the_limit(sim: Simulator, tmp_path: Path) -> None:
    sim.control("PUT", "quota", {"per_minute": 60})
    for nth, what in enumerate(("rate-limited", "refuse", "reset", "slow", "rate-limited", "refuse", "slow")):
        more = {"refuse": {"status": 502, "html": True}, "slow": {"seconds": 3}}.get(what, {})
        sim.fault(where="*", what=what, nth=1 + 3 * nth, **more)
    body = WORK + "for i in 1 2 3 4 5 6; do echo line $i; sleep 1; done"
    ended = run(sim, job(tmp_path / "p", body=body))
    assert ended.code == 0, ended.err
    assert ended.named("retried"), "the storms were felt"
    assert sum(sim.ledger["requests"].values()) <= 60, sim.ledger["requests"]
    assert sim.ledger["pods_created"] == 1 and sim.ledger["pods_left"] == 0
