"""Reading manifests leniently, and summing what they say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.history.comparison import comparison_lines
from runpod_deploy.history.costs import phase_costs
from runpod_deploy.history.folders import MANIFEST_NAME, find, run_dirs, walk_run_dirs
from runpod_deploy.history.layouts import run_cells, run_row, summary_lines, total_lines
from runpod_deploy.history.manifests import ManifestUnreadable, read_manifest, read_manifests
from runpod_deploy.history.totals import Totals

KEYS = (
    *("job_name", "failed", "wall_time_sec", "estimated_cost_usd", "billed_usd", "artifacts"),
    *("deploy_metadata", "telemetry_files", "failure", "outcome", "gpu_price_per_hour_usd"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(a=st.dictionaries(st.sampled_from(KEYS), JSON), b=st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_manifest_is_too_strange_to_show(a: dict[str, Any], b: dict[str, Any]) -> None:
    totals = Totals()
    totals.add(a)
    totals.add(None)

    assert list(summary_lines(a))
    assert list(comparison_lines(("a", "b"), a, b))
    assert len(run_cells(run_row(Path("x"), a))) == 8
    assert next(iter(total_lines(totals))) == "manifests:        2"
    json.dumps(totals.as_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_manifest_is_named_with_the_reason(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(content)

    with pytest.raises(ManifestUnreadable) as caught:
        read_manifest(tmp_path)

    assert caught.value.why == why
    assert caught.value.exit_code == 2
    assert str(tmp_path / MANIFEST_NAME) in caught.value.message


def test_numbers_that_are_unknown_are_counted_not_guessed() -> None:
    totals = Totals()
    for cost in (0.25, "0.5", None, True, float("nan"), 1, 10**400):
        totals.add({"failed": False, "estimated_cost_usd": cost, "wall_time_sec": 0.1})

    assert totals.as_json() == {
        "manifests": 7,
        "unreadable": 0,
        "failed": 0,
        "unknown_result": 0,
        "wall_time_sec": 0.7,
        "estimated_cost_usd": 1.25,
        "unknown_cost": 5,
        "billed_usd": None,
        "stopped_disk_usd_per_day": None,
    }


def test_found_in_path_order_without_following_links_to_folders(tmp_path: Path) -> None:
    for name in ("b", "a c", "a/x", "é\n"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / MANIFEST_NAME).write_text("{}")
    (tmp_path / "z").symlink_to(tmp_path / "b")
    told: list[str] = []

    paths = list(find(str(tmp_path), MANIFEST_NAME, lambda path, _: told.append(path)))

    assert paths == [str(path) for path in sorted(tmp_path.rglob(MANIFEST_NAME))]
    assert len(paths) == 4
    assert told == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    told: list[str] = []

    assert list(find(str(tmp_path), MANIFEST_NAME, lambda path, _: told.append(path))) == []
    assert told == [str(tmp_path / "closed")]


def test_unreadable_manifests_do_not_stop_the_others(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"failed": true}')
    told: list[str] = []

    found = list(read_manifests(iter([str(bad), str(good)]), lambda path, _: told.append(path)))

    assert found == [(str(bad), None), (str(good), {"failed": True})]
    assert told == [str(bad)]


def test_run_dirs_are_direct_children_oldest_first(tmp_path: Path) -> None:
    runs = tmp_path / "artifacts" / "runpod"
    for name in ("20260604T101500Z-2", "20260604T101500Z", "20250101T000000Z", "x/20260101T000000Z"):
        (runs / name).mkdir(parents=True)
    (runs / "20260604T101500Z" / MANIFEST_NAME).write_text("{}")
    (runs / "x" / "20260101T000000Z" / MANIFEST_NAME).write_text("{}")

    assert [path.name for path in run_dirs(tmp_path)] == [
        "20250101T000000Z",
        "20260604T101500Z",
        "20260604T101500Z-2",
        "x",
    ]
    assert [path.name for path in walk_run_dirs(tmp_path)] == ["20260604T101500Z"]
    assert walk_run_dirs(tmp_path / "absent") == []


def test_each_phase_has_its_cost_at_the_real_rate() -> None:
    phases = [
        {"name": "choose", "started_at": "2026-06-04T10:00:00+00:00", "duration_sec": 60.0},
        {"name": "watch", "started_at": "2026-06-04T10:01:00+00:00", "duration_sec": 1800.0},
        {"name": "collect", "started_at": "2026-06-04T10:31:00+00:00", "duration_sec": None},
    ]
    costs = phase_costs({"gpu_price_per_hour_usd": 0.99, "phases": [*phases, "nonsense"]})

    assert [(cost.name, cost.cost_usd) for cost in costs] == [("choose", 0.0), ("watch", 0.495), ("collect", None)]
    assert [cost.cost_usd for cost in phase_costs({"phases": phases})] == [0.0, None, None]
    assert phase_costs({}) == []


def test_a_stopped_pod_costs_its_disk_at_the_stopped_rate() -> None:
    left = {"state": "finished", "pod_final_state": "EXITED", "volume_gb": 40}
    totals = Totals()
    for manifest in (left, left, {**left, "pod_final_state": "TERMINATED"}, {**left, "state": "as found"}):
        totals.add(manifest)

    assert totals.as_json()["stopped_disk_usd_per_day"] == pytest.approx(2 * 40 * 0.20 / 30, abs=1e-6)
    assert "stopped_disks:    $0.53/day" in list(total_lines(totals))
    assert "disk_usd/day:  0.27 (the pod is stopped; until it is deleted)" in list(summary_lines(left))
