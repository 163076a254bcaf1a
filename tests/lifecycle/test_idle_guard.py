"""How long the guard waits after a job's end for a process that downloads the results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from runpod_deploy.phases.guard_terms import RECONNECT_MARGIN_S, idle_after_job_s
from tests.support.worlds import spec_in


@pytest.mark.parametrize(
    ("on_failure", "idle_minutes", "expected"),
    [
        ("stop", 10, 600),
        ("preserve", 10, 600),
        ("delete", 10, 900 + RECONNECT_MARGIN_S),
        ("delete", 30, 1800),
    ],
)
def test_a_guard_that_deletes_results_outlasts_a_lost_connection(
    tmp_path: Path, on_failure: Literal["stop", "delete", "preserve"], idle_minutes: int, expected: int
) -> None:
    job = spec_in(tmp_path).job
    job = replace(
        job,
        lifecycle=replace(job.lifecycle, on_failure=on_failure),
        guard=replace(job.guard, idle_minutes=idle_minutes),
        budget=replace(job.budget, ssh_lost_timeout_sec=900),
    )
    assert idle_after_job_s(job) == expected
