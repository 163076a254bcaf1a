"""The copy of the log has an end, whatever a job prints; its markers are still found."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.record import log_mirror
from runpod_deploy.record.events import SuccessMarkerSeen
from runpod_deploy.record.log_mirror import LogMirror
from runpod_deploy.spec import RunSpec


def test_a_log_without_end_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_mirror, "LOG_BYTES", 1000)
    job = RunSpec(script_path="/r", log_path="/l", body="x", success_marker="ALL DONE")
    mirror = LogMirror(tmp_path / "run.log", job)
    for _ in range(100):
        list(mirror.take(b"x" * 99 + b"\n"))
    (found,) = mirror.take(b"ALL DONE\n")
    assert isinstance(found, SuccessMarkerSeen)
    assert (tmp_path / "run.log").stat().st_size == mirror.size == 1000 and mirror.received == 10_009
    assert mirror.lagging and "longer than" in mirror.lagging
