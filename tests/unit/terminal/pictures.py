"""Pictures of runs at some point of their way, for tests of what is drawn and for the README's image."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runpod_deploy.record import events as e
from runpod_deploy.record.fold import apply
from runpod_deploy.record.state import State
from runpod_deploy.terminal.live_view import Picture
from tests.support.worlds import spec_in

START = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
RUN_ID = "demo-20261101T120000Z"
SAMPLE: dict[str, Any] = {
    "gpus": [
        {"index": 0, "util_pct": 93, "mem_used_mb": 39936, "mem_total_mb": 49152, "temp_c": 66, "power_w": 287.5},
        {"index": 1, "util_pct": None, "mem_used_mb": 1024, "mem_total_mb": 49152, "temp_c": None, "power_w": None},
    ],
    "cpu_user_pct": 41.0,
    "cpu_sys_pct": 3.2,
    "host_mem_used_mb": 18432,
    "host_mem_total_mb": 65536,
    "workspace_disk_used_bytes": 12_400_000_000,
    "workspace_disk_total_bytes": 40_000_000_000,
}


def state_after(*steps: tuple[float, e.Event]) -> State:
    """The state after events at these seconds."""
    state = State()
    for after_s, event in steps:
        state = apply(state, type(event)(**{**vars(event), "ts_utc": START + timedelta(seconds=after_s)}))
    return state


def phase(name: str, begins_s: float, lasts_s: float) -> list[tuple[float, e.Event]]:
    """A phase from beginning to end."""
    done = e.PhaseFinished(phase=name, duration_sec=lasts_s)
    return [(begins_s, e.PhaseStarted(phase=name)), (begins_s + lasts_s, done)]


def watching() -> State:
    """A run twenty minutes into its job."""
    created = e.PodCreated(
        pod_id="k3v9x1q7",
        gpu_id="NVIDIA L40S",
        datacenter_id="EU-SE-1",
        cloud_type="SECURE",
        usd_per_hour=1.09,
        price_source="pod_describe",
        created_at=START + timedelta(seconds=1),
        stop_at=START + timedelta(minutes=55),
        stop_why="cost_cap",
    )
    return state_after(
        (0, e.RunStarted(run_id=RUN_ID, job_name="demo", tool_version="1")),
        *phase("choose", 0, 0.4),
        (1, created),
        *phase("connect", 1, 21.4),
        *phase("stage", 22.4, 3.9),
        (30, e.PhaseStarted(phase="watch")),
        (31, e.RemoteStepStarted(name="train")),
    )


def picture(root: Path, **changes: Any) -> Picture:
    """That run as it is seen after twenty minutes."""
    given: dict[str, Any] = {
        "spec": spec_in(root),
        "state": watching(),
        "now": START + timedelta(minutes=20),
        "run_dir": "artifacts/runpod/20261101T120000Z",
        "lines": [
            ("", "[  0:31] step train …"),
            *(("job", f"epoch {n:2d}/60  loss {2 / n:.4f}") for n in range(1, 25)),
        ],
        "sample": SAMPLE,
    }
    return Picture(**{**given, **changes})
