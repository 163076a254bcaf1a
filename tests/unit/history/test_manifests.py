"""Reading manifests leniently, and summing what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.history.comparison import comparison_lines
from runpod_deploy.history.costs import phase_costs
from runpod_deploy.history.folders import find_files, run_dirs, walk_run_dirs
from runpod_deploy.history.layouts import RUN_COLUMNS, run_cells, run_row, summary_lines, total_lines
from runpod_deploy.history.manifests import ManifestUnreadable, read_manifest, read_manifests
from runpod_deploy.history.totals import Totals
from runpod_deploy.record.paths import MANIFEST_NAME

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
    assert len(run_cells(run_row(Path("x"), a))) == len(RUN_COLUMNS)
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
        "unfinished": 0,
        "unreleased": 0,
        "without_manifest": 0,
        "wall_time_sec": 0.7,
        "unknown_wall": 0,
        "estimated_cost_usd": 1.25,
        "unknown_cost": 5,
        "billed_usd": None,
        "billed_runs": 0,
        "stopped_disk_usd_per_day": None,
        "running_pod_usd_per_day": None,
    }


def test_found_in_path_order_without_following_links_to_folders(tmp_path: Path) -> None:
    for name in ("b", "a c", "a/x", "é\n"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / MANIFEST_NAME).write_text("{}")
    (tmp_path / "z").symlink_to(tmp_path / "b")
    told: list[str] = []

    paths = list(find_files(str(tmp_path), MANIFEST_NAME, lambda path, _: told.append(path)))

    assert paths == [str(path) for path in sorted(tmp_path.rglob(MANIFEST_NAME))]
    assert len(paths) == 4
    assert told == []


def test_folders_within_each_other_have_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(sys.getrecursionlimit() + 100):
        Path("d").mkdir()
        os.chdir("d")
    Path(MANIFEST_NAME).write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert len(list(find_files(".", MANIFEST_NAME, lambda path, _: pytest.fail(path)))) == 1
    subprocess.run(["rm", "-r", "d"], check=True)  # pytest removes folders by recursion


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    told: list[str] = []

    assert list(find_files(str(tmp_path), MANIFEST_NAME, lambda path, _: told.append(path))) == []
    assert told == [str(tmp_path / "closed")]


def test_unreadable_manifests_do_not_stop_the_others(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"failed": true}')
    told: list[str] = []

    found = list(read_manifests(iter([str(bad), str(good)]), lambda path, _: told.append(path)))

    assert found == [(str(bad), None), (str(good), {"failed": True})]
    assert told == [str(bad)]


def tell_nobody(path: str, why: str) -> None:
    """Nothing is unreadable here."""
    raise AssertionError(f"{path}: {why}")


def test_run_dirs_are_direct_children_oldest_first(tmp_path: Path) -> None:
    runs = tmp_path / "artifacts" / "runpod"
    for name in ("20260604T101500Z-2", "20260604T101500Z", "20250101T000000Z", "x/20260101T000000Z"):
        (runs / name).mkdir(parents=True)
    (runs / "20260604T101500Z" / MANIFEST_NAME).write_text("{}")
    (runs / "x" / "20260101T000000Z" / MANIFEST_NAME).write_text("{}")

    assert [path.name for path in run_dirs(tmp_path, tell_nobody)] == [
        "20250101T000000Z",
        "20260604T101500Z",
        "20260604T101500Z-2",
        "x",
    ]
    assert [path.name for path in walk_run_dirs(tmp_path, tell_nobody)] == ["20260604T101500Z"]
    assert walk_run_dirs(tmp_path / "absent", tell_nobody) == []


def test_each_phase_has_its_cost_as_recorded() -> None:
    phases = [
        {"name": "watch", "started_at": "2026-06-04T10:01:00+00:00", "duration_sec": 1800.0, "cost_usd": 0.495},
        {"name": "collect", "started_at": "2026-06-04T10:31:00+00:00", "duration_sec": None, "cost_usd": "much"},
    ]

    costs = [(cost.name, cost.duration_s, cost.cost_usd) for cost in phase_costs({"phases": [*phases, "nonsense"]})]

    assert costs == [("watch", 1800.0, 0.495), ("collect", None, None)]
    assert phase_costs({}) == []


def left(pod_id: str, status: str | None, usd_per_day: float | None, hour: int, **more: Any) -> dict[str, Any]:
    """A finished run that left its pod so."""
    at = f"2026-06-04T{hour:02}:00:00+00:00"
    end = {"state": "finished", "pod_final_state": status, "left_usd_per_day": usd_per_day, "finished_at_utc": at}
    return {"pod_id": pod_id, **end, **more}


def test_what_runs_left_costs_on_and_is_told_by_its_kind() -> None:
    stopped, going = left("a", "EXITED", 0.2667, 1), left("b", "RUNNING", 6.48, 1)
    totals = Totals()
    for manifest in (stopped, going, left("c", None, None, 1), {**stopped, "pod_id": "d", "state": "as found"}):
        totals.add(manifest)

    assert totals.as_json()["stopped_disk_usd_per_day"] == 0.2667
    assert totals.as_json()["running_pod_usd_per_day"] == 6.48
    assert {"stopped_disks:    $0.27/day", "running_pods:     $6.48/day"} <= set(total_lines(totals))
    assert "disk_usd/day:  0.27 (the pod is stopped; until it is deleted)" in list(summary_lines(stopped))
    assert "pod_usd/day:   6.48 (the pod goes on; until it is deleted)" in list(summary_lines(going))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_pod_that_many_runs_took_up_costs_one_disk_and_none_once_it_is_gone(backwards: bool) -> None:
    resumed = {"pod_resumed": True}
    chain = [left("a", "EXITED", 0.3, 1), *(left("a", "EXITED", 0.3, hour, **resumed) for hour in (2, 3))]
    deleted = [left("b", "EXITED", 0.5, 1), left("b", None, None, 2, **resumed)]
    drifted = [left("c", "EXITED", 0.7, 1), left("d", None, None, 2, discarded_pods=["c", 5])]
    taken_up = [left("e", "EXITED", 0.9, 1), {"pod_id": "e", "state": "running", **resumed}]
    taken_up[1]["started_at_utc"] = "2026-06-04T02:00:00+00:00"
    totals = Totals()
    for manifest in sorted([*chain, *deleted, *drifted, *taken_up], key=str, reverse=backwards):
        totals.add(manifest)

    assert totals.as_json()["stopped_disk_usd_per_day"] == 0.3
