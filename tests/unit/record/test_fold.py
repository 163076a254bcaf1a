"""The fold: a state knows by itself how its run ended."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record import events as e
from runpod_deploy.record.events import from_row, to_row
from runpod_deploy.record.fold import fold
from runpod_deploy.record.state import State
from tests.support.worlds import Memory

AT = datetime(2026, 6, 4, tzinfo=UTC)
STARTED = e.RunStarted(ts_utc=AT, run_id="r", job_name="j", tool_version="1", success_marker="DONE")
ENDED = e.JobEnded(ts_utc=AT, exit_code=0, why="exited")
COLLECTED = e.PhaseFinished(ts_utc=AT, phase="collect", duration_sec=1.0)


def test_the_success_marker_comes_from_the_journal() -> None:
    failure = fold([STARTED, ENDED]).failure
    assert failure is not None and failure.kind == "marker_missing"
    seen = e.SuccessMarkerSeen(ts_utc=AT, marker="DONE")
    assert fold([STARTED, seen, ENDED, COLLECTED]).outcome == "succeeded"


def test_a_journal_of_an_older_version_takes_the_success_marker_from_the_spec() -> None:
    row = {key: value for key, value in to_row(STARTED).items() if key != "success_marker"}
    started = from_row(row)
    assert started is not None
    failure = fold([started, ENDED], success_marker="DONE").failure
    assert failure is not None and failure.kind == "marker_missing"
    assert fold([started, ENDED]).failure is None


def test_a_run_records_its_success_marker(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    state = carry_out(world.open())
    assert state.success_marker == "DONE" and state.outcome == "succeeded"
    assert json.loads(world.dir.events.read_text().splitlines()[0])["success_marker"] == "DONE"


def test_the_end_of_one_pod_says_nothing_about_another() -> None:
    where = {"gpu_id": "g", "datacenter_id": "d", "cloud_type": "SECURE"}
    asked = e.PodRequested(ts_utc=AT, name="r", **where)
    late = e.PodDiscarded(ts_utc=AT, pod_id="late")
    assert fold([STARTED, asked, late]).pod_may_exist, "the request may have made a second pod"

    abandoned = e.PodAbandoned(ts_utc=AT, pod_id="dark", reason="it never booted")
    assert fold([STARTED, asked, abandoned, late]).pod.discarding == "dark"
    assert fold([STARTED, asked, abandoned, replace(late, pod_id="dark")]).pod.discarding is None


def test_a_state_is_made_of_few_parts() -> None:
    parts = [field.default_factory for field in dataclasses.fields(State) if callable(field.default_factory)]
    assert len(dataclasses.fields(State)) <= 12, "a field that belongs to a part goes into the part"
    assert max(len(dataclasses.fields(part())) for part in parts) <= 20
