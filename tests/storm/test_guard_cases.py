"""The guard in memory acts as the shared table of cases says."""

from __future__ import annotations

import math

import pytest

from tests.support.fakes.clock import FakeClock
from tests.support.fakes.guard import NO_JOB, OVER, FakeGuard, GuardFiles, Terms
from tests.support.guard_cases import CASES, GuardCase, When

FEW_S = 4.0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_guard_in_memory_asks_as_the_table_says(case: GuardCase) -> None:
    clock, asked = FakeClock(), list[str]()
    clock.advance(100_000.0)
    files = GuardFiles(terms=terms(clock, case.armed), seen_s=clock.monotonic(), rest=case.rest, disarmed=case.disarmed)

    def api(verb: str) -> bool:
        asked.append(verb)
        return verb not in case.refused

    guard = FakeGuard(
        clock,
        files,
        terms(clock, case.boot),
        job=lambda: OVER if case.job_over else NO_JOB,
        stop_job=lambda: None,
        api=api,
    )
    guard.start()
    clock.advance(FEW_S)
    assert tuple(asked) == case.asks


def terms(clock: FakeClock, when: When | None) -> Terms | None:
    """The terms by this clock."""
    if when is None:
        return None
    at_s, ended_s = clock.monotonic() + when.deadline_s, when.ended_s or math.inf
    return Terms(at_s, when.idle_s, started=when.on_failure, ended_s=ended_s)
