"""Run dirs as users have them: every format that exists, and everything that goes wrong with files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MANIFEST = "runpod_deploy_pull_manifest.json"


def build(root: Path) -> Path:
    """Makes the runs of two projects, `tune` and `lab`, below the root, and returns it."""
    runs = root / "tune" / "artifacts" / "runpod"
    write(runs / "20240105T080000Z", v1())
    write(runs / "20260604T101500Z", v2(), events=KILLED_BY_HAND)
    write(runs / "20260604T113000Z", v2_failed(), events=FAILED_OVER)
    write(runs / "20260605T090000Z", ours(), events=OURS)
    write(runs / "20260605T093000Z", running())
    write(runs / "20260606T070000Z", None, events=ORPHAN)
    lab = root / "lab" / "artifacts" / "runpod"
    write(lab / "20260604T101500Z", by_hand())
    write(lab / "20260607T000000Z", None, events=FOREIGN)
    (lab / "20260607T000000Z" / MANIFEST).write_bytes(b'{"schema_version": "v2", "fai')
    (lab / "20260608T000000Z").mkdir()
    (lab / "20260608T000000Z" / MANIFEST).write_text("[1, 2]\n")
    return root


def write(run_dir: Path, manifest: dict[str, Any] | None, events: bytes | None = None) -> None:
    """A run dir with these files."""
    run_dir.mkdir(parents=True)
    if manifest is not None:
        (run_dir / MANIFEST).write_text(json.dumps(manifest, indent=2))
    if events is not None:
        (run_dir / "events.jsonl").write_bytes(events)


def v1() -> dict[str, Any]:
    """A manifest of the first format, without price, time and status of artifacts."""
    return {
        "schema_version": "v1",
        "pulled_at_utc": "2024-01-05T09:12:44+00:00",
        "failed": False,
        "job_name": "embed",
        "run_id": "embed-20240105T080000Z",
        "config_path": "jobs/embed.yaml",
        "storage_mode": "network_volume",
        "datacenter_id": "US-TX-3",
        "gpu_id": "NVIDIA A40",
        "pod_id": "zz00aa",
        "image": "ghcr.io/x/y:0",
        "cost_cap_usd": 2.0,
        "volume_mount": "/workspace",
        "volume_name": "shared",
        "volume_gb": None,
        "artifacts": [{"label": "vectors", "remote_path": "/workspace/out/", "local_path": "out", "required": True}],
    }


def v2() -> dict[str, Any]:
    """A complete manifest of the second format."""
    return {
        "schema_version": "v2",
        "pulled_at_utc": "2026-06-04T10:31:00+00:00",
        "failed": False,
        "job_name": "tune",
        "run_id": "tune-20260604T101500Z",
        "config_path": "jobs/tune.yaml",
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
        "volume_gb": 40,
        "deploy_metadata": {
            "local_git_sha": "1f2e3d",
            "local_git_dirty": False,
            "local_git_branch": "main",
            "payload_lockfile": "uv.lock",
            "payload_lockfile_sha256": "9a8b7c",
        },
        "artifacts": [artifact("ckpt", "success", 2.4)],
        "telemetry_files": ["events.jsonl"],
    }


def artifact(label: str, status: str, duration_s: float | None, **more: Any) -> dict[str, Any]:
    """One artifact in a manifest."""
    place = {"label": label, "remote_path": f"/workspace/{label}", "local_path": f"out/{label}"}
    how = {"required": True, "excludes": [], "delete": True}
    return {**place, **how, "status": status, "bytes_transferred": None, "duration_sec": duration_s, **more}


def v2_failed() -> dict[str, Any]:
    """The manifest of a run that failed after twenty minutes and whose price is not known."""
    return {
        **v2(),
        "failed": True,
        "run_id": "tune-20260604T113000Z",
        "gpu_id": "NVIDIA A40",
        "gpu_price_per_hour_usd": None,
        "gpu_price_source": None,
        "pod_id": "ef34gh",
        "pod_final_state": None,
        "wall_time_sec": 1204.7,
        "estimated_cost_usd": None,
        "deploy_metadata": {},
        "artifacts": [
            artifact("ckpt", "failed", 3.1, error="No such file"),
            artifact("log", "skipped", None),
        ],
        "telemetry_files": [],
    }


def ours() -> dict[str, Any]:
    """A manifest of the present tool, with the keys that it adds."""
    return {
        **v2(),
        "failed": True,
        "run_id": "tune-20260605T090000Z",
        "pod_id": "ij56kl",
        "pod_final_state": "TERMINATED",
        "wall_time_sec": 1800.0,
        "estimated_cost_usd": 0.495,
        "billed_usd": 0.5012,
        "state": "finished",
        "outcome": "job_failed",
        "exit_code": 20,
        "job_exit_code": 3,
        "failure": {
            "kind": "job_failed",
            "phase": "watch",
            "message": "the job exited with status 3",
            "transient": False,
        },
        "phases": [
            {"name": "provision", "started_at": "2026-06-05T09:00:02+00:00", "duration_sec": 61.0},
            {"name": "watch", "started_at": "2026-06-05T09:03:00+00:00", "duration_sec": 1500.0},
        ],
    }


def running() -> dict[str, Any]:
    """A manifest of the present tool while its run goes on."""
    return {
        **v2(),
        "failed": None,
        "run_id": "tune-20260605T093000Z",
        "pod_id": "mn78op",
        "pod_final_state": None,
        "wall_time_sec": None,
        "estimated_cost_usd": None,
        "state": "running",
        "artifacts": [],
        "telemetry_files": [],
    }


def by_hand() -> dict[str, Any]:
    """A manifest that a person wrote after a crash: free text, numbers as text, keys of their own."""
    return {
        "schema_version": "v2",
        "job_name": "tune (recovered)",
        "failed": "killed, see chat",
        "pod_id": "ab12cd",
        "pod_final_state": "killed by hand\nafter the laptop died",
        "wall_time_sec": "about 3h",
        "estimated_cost_usd": 3.5,
        "artifacts": "none",
        "deploy_metadata": None,
        "recovered_by": "sam",
        "notes": ["pulled with scp", {"again": True}],
    }


def sweep(root: Path) -> Path:
    """Makes a project with six runs of two jobs, side by side, and returns it."""
    runs = root / "artifacts" / "runpod"
    for index, (lr, accuracy, loss) in enumerate(
        [("0.1", 0.9125, 0.31), ("0.03", 0.9411, 0.22), ("0.01", 0.9038, 0.4)]
    ):
        own = {"lr": lr, "seed": "3", "model": "resnet-18"}
        numbers = {"accuracy": accuracy, "loss": loss, "epoch": 20}
        write(runs / f"20261120T18000{index}Z", of_sweep(index, variables=own, metrics=numbers))
    failed = {"failed": True, "outcome": "job_failed", "exit_code": 20, "job_exit_code": 137}
    failure = {"kind": "job_failed", "phase": "watch", "message": "killed", "transient": False}
    small = {"lr": "0.003", "seed": "3", "model": "resnet-18"}
    write(runs / "20261120T180003Z", of_sweep(3, variables=small, metrics={"epoch": 4}, failure=failure, **failed))
    slow = {"failed": True, "outcome": "stopped", "failure": {**failure, "kind": "cost_cap"}}
    write(runs / "20261121T090000Z", of_sweep(4, variables=small, gpu_id="NVIDIA L40S", tags={"kind": "long"}, **slow))
    write(runs / "20261121T120000Z", of_sweep(5, job_name="embed", variables={}, metrics={"rows": 120_000}))
    return root


def of_sweep(index: int, **more: Any) -> dict[str, Any]:
    """The manifest of one run of the sweep."""
    usual = {"job_name": "digits", "outcome": "succeeded", "state": "finished", "gpu_id": "NVIDIA RTX A5000"}
    sums = {"wall_time_sec": 754.5 + 60 * index, "estimated_cost_usd": 0.0566 * (1 + index), "pod_id": f"pod{index}"}
    place = {"run_id": f"digits-{index}", "config_sha256": "ab" * 32, "gpu_price_per_hour_usd": 0.27}
    return {**v2(), **usual, **sums, **place, **more}


LIVE_AT = datetime(2026, 11, 27, 23, 40, tzinfo=UTC)


def live(name: str, **more: Any) -> dict[str, Any]:
    """One run as `status` shows it."""
    usual = {
        "timestamp": name, "state": "running", "phase": "watch", "step": None, "pod_id": "ux0unljx9tzrg0",
        "gpu_id": "NVIDIA RTX A5000", "spent_usd": 0.12, "cost_cap_usd": 4.0, "stop_at": "2026-11-28T06:00:00+00:00",
        "last_line": "epoch 3  loss 0.41  accuracy 0.88", "held_by": "process 211", "run_path": f"/p/{name}",
        "job": "digits", "variables": {"lr": "0.03", "seed": "3"}, "since": "2026-11-27T23:28:00+00:00",
        "job_over": False, "outcome": None, "datacenter_id": "EU-SE-1", "gpu_count": 1, "gpu_util_pct": 87.4,
        "usd_per_hour": 0.27, "guard_deadline": "2126-11-28T06:12:00+00:00",
    }  # fmt: skip
    return {**usual, **more}


NO_POD = {
    "last_line": None,
    "pod_id": None,
    "gpu_id": None,
    "gpu_util_pct": None,
    "datacenter_id": None,
    "usd_per_hour": None,
}
LIVE_ROWS = [
    live("20261127T232500Z", step="train"),
    live("20261127T232502Z", variables={"lr": "0.01", "seed": "3"}, phase="stage", last_line=None, gpu_util_pct=None),
    live("20261127T233900Z", phase="choose", since="2026-11-27T23:39:21+00:00", spent_usd=0.0, **NO_POD),
    live("20261127T201000Z", job="train-transformer-xl", variables={"layers": "24", "warmup_steps": "4000"},
         gpu_id="NVIDIA H100 80GB HBM3", gpu_count=2, gpu_util_pct=99.0, spent_usd=8.5, cost_cap_usd=12.0),
    live("20261126T090000Z", state="left", held_by=None, since="2026-11-26T21:00:00+00:00"),
    live("20261127T230000Z", state="detached", held_by=None, job_over=True, gpu_util_pct=0.0),
    live("20261127T100000Z", state="finished", outcome="unreleased", job_over=True, held_by=None, gpu_util_pct=None),
]  # fmt: skip


def rows(*events: dict[str, Any]) -> bytes:
    """The events as JSON lines."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


FAILED_OVER = rows(
    {
        "ts_utc": "2026-06-04T11:32:00+00:00",
        "event": "datacenter_failover",
        "from": "US-TX-3",
        "to": "EU-SE-1",
        "reason": 'no stock for "NVIDIA A40"',
    },
    {
        "ts_utc": "2026-06-04T11:32:00.500000+00:00",
        "event": "gpu_selected",
        "gpu_id": "NVIDIA A40",
        "datacenter_id": "EU-SE-1",
    },
    {"ts_utc": "2026-06-04T11:39:42+00:00", "event": "remote_step_started", "name": "train"},
    {"ts_utc": "2026-06-04T12:45:05+00:00", "event": "remote_step_completed", "name": "train"},
    {
        "ts_utc": "2026-06-04T12:45:09+00:00",
        "event": "artifact_pull_failed",
        "label": "ckpt",
        "duration_sec": 3.1,
        "error": "No such file",
    },
)
KILLED_BY_HAND = rows(
    {
        "ts_utc": "2026-06-04T10:16:00+00:00",
        "event": "gpu_selected",
        "gpu_id": "NVIDIA L40S",
        "datacenter_id": "EU-SE-1",
    },
    {
        "ts_utc": "2026-06-04T10:30:00Z",
        "event": "pod_killed_unexpected",
        "state": "EXITED",
        "note": "not by us",
    },
)
OURS = rows(
    {"ts_utc": "2026-06-05T09:00:00+00:00", "event": "run_started", "run_id": "tune-20260605T090000Z"},
    {
        "ts_utc": "2026-06-05T09:20:00+00:00",
        "event": "eval_done",
        "f1": 0.9,
        "ok": True,
        "best": None,
        "path": "/workspace/out é",
        "by": {"fold": 3},
        "source": "job",
        "pod_id": "ij56kl",
    },
    {"ts_utc": "2026-06-05T09:30:00+00:00", "event": "heartbeat", "spent_usd": 0.495, "pod_id": "ij56kl"},
)
ORPHAN = (
    b'{"ts_utc": "2026-06-06T07:00:01+00:00", "event": "gpu_selected", "gpu_id": "NVIDIA L4"}\n'
    b'{"ts_utc": "2026-06-06T07:00:09+00:00", "event": "remote_st'
)
FOREIGN = (
    b"== log of another program ==\n"
    b'{"ts_utc": "yesterday", "event": "gpu_selected", "gpu_id": "NVIDIA L4"}\r\n'
    b"[]\n"
    b"\n"
    b'{"event": "note", "text": "one\\ntwo\\u001b[31m"}\n'
    b"\xff\xfe\n"
    b'{"ts_utc": "2026-06-07T00:00:00", "event": "note", "text": "naive"}\n'
    b'{"ts_utc": "2026-06-06T23:59:55+00:00", "event": "note", "text": "early"}\n'
)
