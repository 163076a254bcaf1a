"""The bill, which comes late, beside the estimate: asked for, shown, and recorded where it cannot be lost."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import WORK, Simulator, Tool, job, run

DEAR = {"gpu_order": ["SIM 3600"], "datacenters": ["EU-SE-1"]}
"""A dollar a second: sums that rounding does not touch."""
BUDGET = {"cost_cap_usd": 500.0, "assumed_hourly_rate_usd": 3600.0}
MANIFEST = "runpod_deploy_pull_manifest.json"


def asked(sim: Simulator, root: Path, *args: str) -> dict[str, Any]:
    """What `billing --json` says."""
    ended = Tool(sim, "billing", "--root", str(root), "--json", *args).end()
    assert ended.code == 0, ended.err
    return {**json.loads(ended.out), "words": ended.err}


def bill_lags(sim: Simulator, seconds: float) -> None:
    """The bill is so far behind."""
    sim.control("PUT", "billing", {"lag_s": seconds})


def dear_run(sim: Simulator, folder: Path, **sections: Any) -> Path:
    """The run dir of a run that cost some dollars."""
    ended = run(sim, job(folder, body=WORK + "sleep 1\necho DONE\n", pod=DEAR, budget=BUDGET, **sections))
    assert ended.code == 0 and ended.run_dir, ended.err
    return ended.run_dir


def test_what_the_bill_does_not_hold_yet_is_said_and_not_made_up(sim: Simulator, tmp_path: Path) -> None:
    run_dir = dear_run(sim, tmp_path / "p")
    before = (run_dir / MANIFEST).read_bytes()
    bill_lags(sim, 14 * 86400)

    said = asked(sim, tmp_path)

    assert said["runs"][0]["billed_usd"] is None and said["runs"][0]["bill"] == "not_yet"
    assert said["totals"]["billed_usd"] is None and said["totals"]["bill_reaches"] is None
    assert "1 of 1 runs are not settled" in said["words"]
    assert (run_dir / MANIFEST).read_bytes() == before


def test_the_bill_is_recorded_once_and_outlives_the_manifest(sim: Simulator, tmp_path: Path) -> None:
    run_dir = dear_run(sim, tmp_path / "p")
    bill_lags(sim, 0)

    first = asked(sim, tmp_path)
    journal = (run_dir / "events.jsonl").read_bytes()
    again = asked(sim, tmp_path)

    (metered,) = [pod["billed_usd"] for pod in sim.control("GET", "pods")["pods"]]
    billed, estimated = first["runs"][0]["billed_usd"], first["runs"][0]["estimated_cost_usd"]
    assert billed == pytest.approx(metered, abs=1e-5)
    assert billed <= estimated <= billed * 1.5, "the estimate counts until the deletion was confirmed"
    assert again["runs"][0]["billed_usd"] == billed
    assert (run_dir / "events.jsonl").read_bytes() == journal, "what is known already is no news"
    assert json.loads(journal.splitlines()[-1])["event"] == "billed"

    (run_dir / MANIFEST).unlink()
    rebuilt = json.loads(Tool(sim, "manifest", str(run_dir), "--json").end().out)
    assert rebuilt["billed_usd"] == billed and rebuilt["estimated_cost_usd"] == estimated
    summary = Tool(sim, "manifest-summary", "--root", str(tmp_path)).end().out
    assert f"billed_usd:    {billed}\n" in summary and f"billed:           ${billed:.2f} (1 of 1 runs)\n" in summary


def test_a_bill_that_grows_is_recorded_again(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path, body=WORK, pod=DEAR, budget=BUDGET, lifecycle={"on_success": "preserve"}))
    bill_lags(sim, 0)
    small = asked(sim, tmp_path)["runs"][0]["billed_usd"]
    time.sleep(0.5)
    large = asked(sim, tmp_path)["runs"][0]["billed_usd"]

    assert small < large
    assert ended.run_dir and [row["usd"] for row in ended.named("billed")] == [small, large]
    assert ended.manifest["billed_usd"] == large


def test_an_hour_that_two_runs_shared_belongs_to_neither_and_is_counted_once(sim: Simulator, tmp_path: Path) -> None:
    recycle = {"state_file": str(tmp_path / "state"), "lifecycle": {"on_success": "recycle"}}
    for _ in range(2):
        dear_run(sim, tmp_path / "p", **recycle)
    bill_lags(sim, 0)

    said = asked(sim, tmp_path)

    if len({row["timestamp"][:11] for row in said["runs"]}) == 1:  # unless an hour struck between them
        assert [row["bill"] for row in said["runs"]] == ["shared", "shared"]
        assert said["totals"]["billed_usd"] is None
        (metered,) = [pod["billed_usd"] for pod in sim.control("GET", "pods")["pods"]]
        assert said["totals"]["shared_usd"] == pytest.approx(metered, rel=0.01)
    assert said["runs"][0]["pods"] == said["runs"][1]["pods"]


def test_a_run_that_goes_on_is_shown_and_left_alone(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body="sleep 30", pod=DEAR, budget=BUDGET)
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    bill_lags(sim, 0)

    said = asked(sim, tmp_path)

    assert said["runs"][0]["billed_usd"] > 0
    assert "another process holds this run" in said["words"]
    tool.signal(signal.SIGINT)
    ended = tool.end()
    assert ended.code == 130 and ended.named("billed") == []


def test_a_run_whose_driver_died_learns_its_bill_and_can_still_be_resumed(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=WORK + "sleep 3\n", pod=DEAR, budget=BUDGET)
    tool = Tool(sim, "run", "--config", str(config), "--print-run-dir")
    tool.await_event(lambda row: row["event"] == "job_launched")
    tool.signal(signal.SIGKILL)
    tool.process.communicate()
    bill_lags(sim, 0)

    said = asked(sim, tmp_path)
    assert said["runs"][0]["billed_usd"] > 0 and said["runs"][0]["estimated_cost_usd"] > 0
    assert Tool(sim, "resume", str(tool.run_dir)).end().code == 0
    assert tool.run_dir is not None
    manifest = json.loads((tool.run_dir / MANIFEST).read_text())
    assert manifest["outcome"] == "succeeded" and manifest["billed_usd"] == said["runs"][0]["billed_usd"]


def test_the_manifest_of_an_older_tool_learns_it_too(sim: Simulator, tmp_path: Path) -> None:
    run_dir = dear_run(sim, tmp_path / "p")
    ours = json.loads((run_dir / MANIFEST).read_text())
    old = {key: ours[key] for key in ("pod_id", "job_name", "run_id", "pulled_at_utc", "estimated_cost_usd")}
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / MANIFEST).write_text(json.dumps({**old, "recovered_by": "sam"}))
    bill_lags(sim, 0)

    said = asked(sim, tmp_path / "old")

    theirs = json.loads((tmp_path / "old" / MANIFEST).read_text())
    assert list(theirs) == [*old, "recovered_by", "billed_usd", "bill_settled"]
    assert theirs["billed_usd"] == said["runs"][0]["billed_usd"] > 0


def test_a_bill_that_is_refused_changes_nothing(sim: Simulator, tmp_path: Path) -> None:
    run_dir = dear_run(sim, tmp_path / "p")
    bill_lags(sim, 0)
    before = (run_dir / "events.jsonl").read_bytes()

    ended = Tool(sim, "billing", "--root", str(tmp_path), env={"RUNPOD_API_KEY": "wrong"}).end()

    assert ended.code == 4 and ended.out == "" and "cannot read the bill" in ended.err
    assert (run_dir / "events.jsonl").read_bytes() == before
    assert Tool(sim, "billing", "--root", str(tmp_path / "nowhere")).end().code == 2
