"""The commands that read records print what scripts of the earlier tool parse, for records that it has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.cli import main

RUN = {
    "schema_version": "v2",
    "pulled_at_utc": "2026-06-04T10:31:00+00:00",
    "failed": False,
    "job_name": "tune",
    "run_id": "tune-20260604T101500Z",
    "config_path": "/home/me/tune.yaml",
    "storage_mode": "ephemeral",
    "datacenter_id": "EU-SE-1",
    "gpu_id": "NVIDIA L40S",
    "gpu_price_per_hour_usd": 0.99,
    "gpu_price_source": "pod_describe",
    "pod_id": "ab12cd",
    "pod_final_state": "RUNNING",
    "pod_resumed": False,
    "image": "ghcr.io/x/y:1",
    "cost_cap_usd": 4.0,
    "wall_time_sec": 913.2,
    "estimated_cost_usd": 0.2511,
    "volume_mount": "/workspace",
    "volume_name": None,
    "volume_gb": 20,
    "deploy_metadata": {"local_git_sha": "1f2e3d"},
    "artifacts": [{"label": "ckpt", "status": "success", "bytes_transferred": None, "duration_sec": 2.4}],
    "telemetry_files": ["events.jsonl"],
}
OTHER = {**RUN, "gpu_id": "NVIDIA A40", "wall_time_sec": 1204.7, "estimated_cost_usd": None, "pod_id": "ef34gh"}
V1 = {"schema_version": "v1", "failed": True, "job_name": "tune", "gpu_id": "NVIDIA L40S", "datacenter_id": "EU-SE-1"}
EVENTS = (
    {
        "ts_utc": "2026-06-04T10:15:00+00:00",
        "event": "gpu_selected",
        "gpu_id": "NVIDIA L40S",
        "datacenter_id": "EU-SE-1",
    },
    {"ts_utc": "2026-06-04T10:22:42+00:00", "event": "remote_step_started", "name": "train"},
    {"ts_utc": "2026-06-04T11:20:01+00:00", "event": "pod_killed_unexpected", "state": "TERMINATED", "note": "gone"},
)
SUMMARY = """\
job:           tune
run_id:        tune-20260604T101500Z
failed:        False
schema:        v2
pod_id:        ab12cd
gpu:           NVIDIA L40S
datacenter:    EU-SE-1
image:         ghcr.io/x/y:1
storage:       ephemeral
wall_time_sec: 913.2
price_usd/hr:  0.99 (pod_describe)
est_cost_usd:  0.2511
cost_cap_usd:  4.0
final_state:   RUNNING
deploy_metadata:
  local_git_sha: 1f2e3d
artifacts:
  - ckpt: status=success duration_sec=2.4
telemetry_files:
  - events.jsonl
"""
TOTALS = """
== TOTALS ==
manifests:        1
failed:           0
wall_time_sec:    913.2
estimated_cost:   $0.25
"""
TABLE = """\
timestamp         job   pod_id  gpu          dc       wall_s  failed  est_$
20260604T101500Z  tune  ab12cd  NVIDIA L40S  EU-SE-1  913     N       $0.25
20260604T113000Z  tune  —       NVIDIA L40S  EU-SE-1  —       Y       —
"""


class Records:
    """A project with run dirs as the earlier tool left them."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.runs, self.capsys = root / "artifacts/runpod", capsys

    def add(self, stamp: str, manifest: dict[str, Any]) -> Path:
        """A new run dir."""
        folder = self.runs / stamp
        folder.mkdir(parents=True)
        (folder / "runpod_deploy_pull_manifest.json").write_text(json.dumps(manifest, indent=2))
        (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in EVENTS))
        return folder

    def printed(self, *words: str) -> str:
        """What the command prints on stdout."""
        self.code = main(list(words))
        return self.capsys.readouterr().out


@pytest.fixture
def records(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Records:
    monkeypatch.chdir(tmp_path)
    return Records(tmp_path, capsys)


def test_summary_of_a_manifest_and_of_a_tree(records: Records) -> None:
    path = records.add("20260604T101500Z", RUN) / "runpod_deploy_pull_manifest.json"

    assert records.printed("manifest-summary", str(path)) == SUMMARY
    below = f"== artifacts/runpod/{path.parent.name}/{path.name} ==\n{SUMMARY}{TOTALS}"
    assert records.printed("manifest-summary", "--root", "artifacts/runpod") == below


def test_list_of_runs(records: Records) -> None:
    records.add("20260604T113000Z", V1)
    records.add("20260604T101500Z", RUN)

    assert records.printed("ls-runs") == TABLE
    rows = json.loads(records.printed("ls-runs", "--json"))
    keys = ["timestamp", "job", "pod_id", "gpu_id", "datacenter_id", "wall_time_sec", "failed", "estimated_cost_usd"]
    assert list(rows[0])[: len(keys)] == keys and rows[0]["timestamp"] == "20260604T101500Z"


def test_comparison_of_two_runs(records: Records) -> None:
    paths = [str(records.add(stamp, run)) for stamp, run in (("one", RUN), ("two", OTHER))]

    lines = records.printed("compare-runs", *paths).splitlines()
    assert (records.code, lines[0], lines[3]) == (0, "diff between two manifests:", "")
    assert [line.split()[-1] for line in lines[1:3]] == ["(tune)", "(tune)"]
    assert "  gpu_id                                   NVIDIA L40S  →  NVIDIA A40" in lines
    assert "  wall_time_sec                            913.20  →  1204.7" in lines
    assert "  deploy_metadata.local_git_branch         — == —" in lines
    assert "  artifact[ckpt].duration_sec              2.40 == 2.40" in lines


def test_events_of_one_run_and_of_a_tree(records: Records) -> None:
    folder = records.add("20260604T101500Z", RUN)

    assert records.printed("events", str(folder)).splitlines() == [
        '[+0:00] gpu_selected gpu_id="NVIDIA L40S" datacenter_id=EU-SE-1',
        "[+7:42] remote_step_started name=train",
        "[+1:05:01] pod_killed_unexpected state=TERMINATED note=gone",
    ]
    query = ("events-query", "--filter", "event=pod_killed_unexpected")
    line = "[2026-06-04T11:20:01+00:00] 20260604T101500Z pod_killed_unexpected state=TERMINATED note=gone\n"
    assert records.printed(*query) == line
    row = json.loads(records.printed(*query, "--json"))
    assert row == {**EVENTS[2], "run_dir": "20260604T101500Z", "run_path": str(folder)}
    assert list(row)[-2:] == ["run_dir", "run_path"]


def test_log_of_a_job(records: Records) -> None:
    """It has the name that the config gave it on the pod."""
    folder = records.add("20260604T101500Z", RUN)
    assert (records.printed("logs", str(folder)), records.code) == ("", 2)
    (folder / "train.log").write_text("epoch 1\nDONE\n")
    assert (records.printed("logs", str(folder), "--lines", "1"), records.code) == ("DONE\n", 0)
    (folder / "events.jsonl").unlink()  # as with `telemetry.enabled: false`
    assert (records.printed("logs", str(folder), "--lines", "1"), records.code) == ("DONE\n", 0)


@pytest.mark.parametrize("command", ["resume", "attach", "pull", "stop"])
def test_commands_that_need_more_than_a_record(records: Records, command: str) -> None:
    """They say which commands do work for a run of the earlier tool."""
    folder = records.add("20260604T101500Z", RUN)
    assert main([command, str(folder)]) == 2
    said = records.capsys.readouterr().err
    assert "a run of the earlier tool can only be read" in said and "manifest-summary" in said
    assert f"cleanup --state-file {folder}/runpod_deploy_pull_manifest.json" in said


def test_facts_of_the_checkout(records: Records) -> None:
    keys = ["local_git_sha", "local_git_dirty", "local_git_branch", "payload_lockfile", "payload_lockfile_sha256"]
    assert list(json.loads(records.printed("capture-env"))) == keys
