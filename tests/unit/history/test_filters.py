"""Runs by their facts: which are meant, in which order, and which is the best, whatever the manifests hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.errors import UsageError
from runpod_deploy.history.facts import Facts, run_facts
from runpod_deploy.history.filters import full_key, run_filter, since, sorted_runs
from runpod_deploy.history.matrix import (
    best_of,
    compared_keys,
    duration_text,
    titles,
    value_text,
    varying_keys,
    winners,
)
from runpod_deploy.history.report.runs_table import runs_table
from tests.transcripts import run_dirs


def facts(name: str, **manifest: Any) -> Facts:
    """The facts of a run of ours."""
    return run_facts(Path(name), {**run_dirs.ours(), **manifest})


GOOD = facts(
    "20261101T000000Z", failed=False, outcome="succeeded", failure=None, variables={"seed": "3"}, metrics={"loss": 0.25}
)
BAD = facts("20261102T000000Z", job_name="eval", variables={"seed": "10"}, tags={"kind": "long"})
CUT = facts(
    "20261103T000000Z", outcome="interrupted", failure={"kind": "interrupted"}, metrics={"loss": 0.5, "f1": "?"}
)
OPEN = facts("20261104T000000Z", state="running", failed=None, outcome=None)
RUNS = [GOOD, BAD, CUT, OPEN]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("outcome=failed", [BAD]),
        ("outcome!=failed", [GOOD, CUT, OPEN]),
        ("outcome=interrupted", [CUT]),
        ("outcome=running", [OPEN]),
        ("var.seed=3", [GOOD]),
        ("var.seed>3", [BAD]),
        ("metric.loss<0.5", [GOOD]),
        ("metric.loss!=0.5", [GOOD, BAD, OPEN]),
        ("job~^ev", [BAD]),
        ("tag=kind", [BAD]),
        ("tag=kind=long", [BAD]),
        ("tag=kind=short", []),
        ("tag!=kind", [GOOD, CUT, OPEN]),
        ("started>=2026-11-03", [CUT, OPEN]),
        ("exit_code=20", RUNS),
    ],
)
def test_a_filter_finds_the_runs_that_are_meant(text: str, fits: list[Facts]) -> None:
    assert list(filter(run_filter(text), RUNS)) == fits


def test_a_name_that_no_run_can_have_is_an_error_with_the_likely_one() -> None:
    with pytest.raises(UsageError) as raised:
        run_filter("outcom=failed")
    assert "outcome" in raised.value.hint
    with pytest.raises(UsageError) as raised:
        full_key("lss", RUNS)
    assert "loss" in raised.value.hint


def test_runs_since_an_instant_are_those_that_began_later() -> None:
    assert list(filter(since(datetime(2026, 11, 3, tzinfo=UTC)), RUNS)) == [CUT, OPEN]


def test_runs_are_sorted_by_number_and_those_without_a_value_come_last() -> None:
    assert sorted_runs(RUNS, "var.seed")[:2] == [GOOD, BAD], "3 is less than 10, also as texts"
    assert sorted_runs(RUNS, "-metric.loss") == [CUT, GOOD, BAD, OPEN]


def test_the_best_of_a_column_is_the_highest_unless_the_lowest_is_asked_for() -> None:
    assert winners(best_of("loss", RUNS), RUNS) == [CUT]
    assert winners(best_of("loss:min", RUNS), RUNS) == [GOOD]
    with pytest.raises(UsageError, match="no number"):
        best_of("job", RUNS)


def test_only_what_differs_is_compared() -> None:
    keys = compared_keys([GOOD, CUT])
    assert keys[:2] == ["var.seed", "metric.loss"] and "outcome" in keys and "gpu" not in keys
    assert compared_keys([GOOD, GOOD]) == []
    assert varying_keys([GOOD, BAD]) == ["var.seed", "metric.loss"]


def test_a_metric_that_is_no_number_is_left_out() -> None:
    assert "metric.f1" not in CUT


def test_facts_of_any_kind_are_no_exception() -> None:
    odd: Any
    for odd in ([], {}, [{"a": 1}], "x", 1e300, float("nan"), True, None):
        keys = ("state", "outcome", "failure", "variables", "metrics", "tags", "job_name", "gpu_id", "started_at_utc")
        strange = [facts("x", **{key: odd}) for key in keys] + [GOOD]
        for key in {key for run in strange for key in run}:
            sorted_runs(strange, key)
            assert all(value_text(key, run.get(key)) for run in strange)
        assert compared_keys(strange) and varying_keys(strange)
        assert "".join(runs_table(strange, None))


def test_names_are_short_unless_two_would_be_the_same() -> None:
    assert titles(["var.lr", "metric.loss", "var.loss"]) == ["lr", "metric.loss", "var.loss"]


def test_outcomes_are_plain_words() -> None:
    assert [run["outcome"] for run in RUNS] == ["succeeded", "exit status 3", "interrupted", "running"]
    assert facts("x", failure={"kind": "stock_out"}, outcome="failed")["outcome"] == "stock out"
    assert run_facts(Path("x"), run_dirs.v2())["outcome"] == "succeeded"
    assert run_facts(Path("x"), run_dirs.by_hand())["outcome"] is None


def test_values_are_written_in_the_unit_of_their_name() -> None:
    assert [value_text(*pair) for pair in (("cost", 0.125), ("duration", 754.5), ("metric.x", 0.91234567))] == [
        "$0.13", "12m34s", "0.9123",
    ]  # fmt: skip
    assert [duration_text(s) for s in (0, 59, 60, 7500, 90_000)] == ["0s", "59s", "1m00s", "2h05m", "1d01h"]
