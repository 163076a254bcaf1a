"""What runs were billed, and when that is not known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cloud.runpod.bills import HOUR
from runpod_deploy.history.bill_tables import bill_cells, bill_row, bill_total_facts, bill_totals
from runpod_deploy.history.billing import LONGEST_RANGE, runs_below, time_ranges
from runpod_deploy.history.layouts import table_lines
from runpod_deploy.history.reconciliation import PodHour, RunHours, hours, hours_of_run, reconcile
from runpod_deploy.record.paths import MANIFEST_NAME

TEN = datetime(2026, 6, 4, 10, tzinfo=UTC)
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def run(pod_id: str, since: str, until: str | None, usd: float | None, **more: Any) -> RunHours:
    """A run of one pod on 4 June 2026."""
    day = "2026-06-04T{}:00+00:00"
    pod = {"pod_id": pod_id, "since_utc": day.format(since), "until_utc": until and day.format(until)}
    manifest = {"job_name": "tune", "run_id": f"tune-{pod_id}", "pods": [pod], "estimated_cost_usd": usd, **more}
    return hours_of_run(Path("runs") / pod_id, manifest, NOW)


def said(
    runs: list[RunHours], bills: dict[PodHour, float], billed_through: datetime | None = None
) -> list[tuple[Any, str]]:
    """What each run was billed, and how final that is."""
    return [(bill.billed_usd, bill.state) for bill in reconcile(runs, bills, billed_through)[0]]


def test_a_run_was_billed_what_its_pod_was_in_the_hours_of_the_run() -> None:
    one = run("a", "10:50", "12:05", 1.0)
    bills = {("a", TEN + n * HOUR): usd for n, usd in ((-1, 9.0), (0, 0.25), (1, 0.5), (2, 0.2), (3, 9.0))}

    assert said([one], {**bills, ("b", TEN): 9.0}) == [(0.95, "settled")]


@pytest.mark.parametrize(("reach", "word"), [(None, "so_far"), ("2026-06-04", "so_far"), ("2026-06-05", "settled")])
def test_a_part_of_the_bill_is_the_whole_only_once_the_bill_has_gone_beyond(reach: str | None, word: str) -> None:
    billed_through = None if reach is None else datetime.fromisoformat(reach).replace(tzinfo=UTC)

    assert said([run("a", "10:50", "12:05", 1.0)], {("a", TEN): 0.25}, billed_through) == [(0.25, word)]


def test_what_is_not_in_the_bill_is_not_free() -> None:
    assert said([run("a", "10:50", "12:05", 1.0)], {}, NOW) == [(None, "not_yet")]


def test_an_hour_of_two_runs_belongs_to_neither() -> None:
    first, second, third = (
        run("a", "10:00", "10:20", 0.1),
        run("a", "10:30", "10:50", 0.1),
        run("a", "11:10", None, 0.1),
    )

    done, shared = reconcile([first, second, third], {("a", TEN): 0.2, ("a", TEN + HOUR): 0.1}, None)

    assert [(one.billed_usd, one.state) for one in done] == [(None, "shared"), (None, "shared"), (0.1, "settled")]
    assert shared == {("a", TEN)}


def test_older_manifests_say_when_they_ran_by_their_ids_and_their_ends() -> None:
    old = {"run_id": "embed-20260604T101500Z-2", "pod_id": "a", "pulled_at_utc": "2026-06-04T13:10:00+02:00"}
    nameless = {**old, "run_id": "embed"}

    assert hours_of_run(Path("x"), old, NOW).hours == {("a", TEN), ("a", TEN + HOUR)}
    for manifest in (nameless, {**old, "pod_id": None}, {**old, "pulled_at_utc": "soon"}, {**old, "pods": "none"}, {}):
        assert hours_of_run(Path("x"), manifest, NOW).hours == frozenset()


def test_a_manifest_of_endless_times_costs_no_memory_and_hides_no_other_run(tmp_path: Path) -> None:
    spans = {"endless": "2199-01-01T00:00:00Z", "sound": "2001-01-02T01:00:00Z", "open": None}
    for name, until in spans.items():
        pods = [{"pod_id": name, "since_utc": "2001-01-02T00:00:00Z", "until_utc": until}]
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST_NAME).write_text(json.dumps({"run_id": name, "pods": pods}))
    said: list[str] = []

    runs = list(runs_below(str(tmp_path), NOW, lambda path, why: said.append(f"{path}: {why}")))
    assert {run.path.name: len(run.hours) for run in runs} == {"sound": 1, "open": 366 * 24}
    assert len(said) == 1 and "endless" in said[0] and "no bill is asked for" in said[0]


def test_a_run_that_rented_nothing_waits_for_no_bill() -> None:
    empty: dict[str, Any] = {"pods": [], "estimated_cost_usd": 0.0}
    lost: dict[str, Any] = {"pods": [], "estimated_cost_usd": None}

    runs = [hours_of_run(Path("x"), empty, NOW), hours_of_run(Path("y"), lost, NOW)]
    assert said(runs, {}) == [(None, "nothing_rented"), (None, "unknown")]


def test_sums_count_what_has_no_number() -> None:
    runs = [run("a", "10:00", "10:20", 0.3), run("b", "10:00", "10:20", 0.4), run("c", "10:00", "10:20", None)]
    done, _ = reconcile(runs, {("a", TEN): 0.29, ("c", TEN): 0.7}, TEN)
    sums = bill_totals(done, 0.05, TEN)

    assert sums == {
        "runs": 3,
        "estimated_cost_usd": 0.7,
        "unknown_cost": 1,
        "billed_usd": 0.99,
        "billed_runs": 2,
        "estimated_cost_of_billed_usd": 0.3,
        "shared_usd": 0.05,
        "by_bill": {"settled": 1, "so_far": 1, "not_yet": 1},
        "bill_reaches": "2026-06-04",
    }
    assert list(table_lines(("run",) * 6, [bill_cells(bill_row(one)) for one in done]))[1:] == [
        "a    tune  a    $0.3000  $0.2900  settled",
        "b    tune  b    $0.4000  —        not yet",
        "c    tune  c    —        $0.7000  so far",
    ]
    assert dict(bill_total_facts(sums))["billed"] == "$0.9900 (2 runs, estimated at $0.3000)"


@given(minutes=st.integers(0, 10**5), lasts=st.integers(0, 10**4))
def test_hours_cover_the_time_and_no_more(minutes: int, lasts: int) -> None:
    since = TEN + timedelta(minutes=minutes)
    until = since + timedelta(minutes=lasts)
    instants = [at for _, at in hours("a", since, until)]

    assert instants[0] <= since < instants[0] + HOUR and instants[-1] < max(until, since + HOUR)
    assert until <= instants[-1] + HOUR and len(set(instants)) == len(instants)


@given(offsets=st.sets(st.integers(0, 5000), max_size=40))
def test_time_ranges_hold_every_hour_once_and_none_is_too_long(offsets: set[int]) -> None:
    instants = [TEN + offset * HOUR for offset in offsets]
    found = list(time_ranges(instants))

    assert all(sum(start <= at < end for start, end in found) == 1 for at in instants)
    assert all(HOUR <= end - start <= LONGEST_RANGE for start, end in found)
