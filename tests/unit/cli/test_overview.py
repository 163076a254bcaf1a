"""The overview in words: where a run stands, and what to do about one that needs somebody."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.cli.overview import advice, gpu, lasting, phase, spent, until_when
from tests.transcripts.run_dirs import LIVE_AT, live

LEFT = {"state": "left", "held_by": None}


@pytest.mark.parametrize(
    ("row", "words", "next_command"),
    [
        ({}, "job", ""),
        ({"phase": "stage"}, "stage", ""),
        ({**LEFT}, "interrupted", "runpod-deploy resume /p/r"),
        ({**LEFT, "since": None}, "not begun", ""),
        ({"state": "detached"}, "job", ""),
        ({"state": "detached", "held_by": None}, "detached", "runpod-deploy attach /p/r"),
        ({"state": "detached", "held_by": None, "job_over": True}, "job over", "runpod-deploy resume /p/r"),
        ({"state": "finished", "outcome": "unreleased"}, "unreleased", "runpod-deploy resume /p/r"),
        ({"state": "finished", "outcome": "job_failed"}, "job failed", ""),
    ],
)
def test_a_run_that_needs_somebody_says_what_it_costs_and_what_to_type(
    row: dict[str, Any], words: str, next_command: str
) -> None:
    made = live("r", **row)
    assert phase(made) == words
    said = list(advice([made]))
    assert len(said) == bool(next_command)
    if said:
        assert said[0].endswith(next_command) and "its pod costs $0.27 an hour until" in said[0]


@pytest.mark.parametrize(
    ("gpu_id", "count", "load", "shown"),
    [
        ("NVIDIA RTX A5000", 1, 87.4, "A5000 87%"),
        ("NVIDIA GeForce RTX 4090", 2, None, "2×RTX 4090"),
        ("NVIDIA H100 80GB HBM3", None, 0.0, "H100 0%"),
        ("NVIDIA A100-SXM4-80GB", 8, 5.0, "8×A100 5%"),
        ("NVIDIA RTX 6000 Ada Generation", 1, None, "RTX 6000 Ada"),
        ("NVIDIA L40S", 1, None, "L40S"),
        (None, None, None, "—"),
    ],
)
def test_a_gpu_is_named_in_short(gpu_id: str | None, count: int | None, load: float | None, shown: str) -> None:
    assert gpu(live("r", gpu_id=gpu_id, gpu_count=count, gpu_util_pct=load)) == shown


def test_times_and_amounts_are_short() -> None:
    assert lasting(live("r"), LIVE_AT) == "12m" and lasting(live("r", since=None), LIVE_AT) == "—"
    assert spent(live("r", cost_cap_usd=2.5)) == "$0.12/$2.50" and spent(live("r", spent_usd=None)) == "—/$4"


@pytest.mark.parametrize(
    ("deadline", "words"),
    [
        (None, " until somebody ends it: no guard is known to do so"),
        ("2126-11-28T06:12:00+00:00", " at the latest"),
        ("2026-01-28T06:12:00+00:00", "`runpod-deploy audit` shows whether it did"),
    ],
)
def test_an_end_is_told_only_if_something_brings_it_about(deadline: str | None, words: str) -> None:
    assert until_when(deadline).endswith(words)
