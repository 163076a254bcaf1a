"""The faults that chaos plays are faults that the simulator takes."""

from __future__ import annotations

import pytest

from runpod_sim.chaos.cases import RESUME_METHODS, VARIANTS, Scope, cases
from runpod_sim.faults.fault import parse


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_fault_of_every_case_is_accepted(seed: int) -> None:
    played = [fault for case in cases(400, seed, Scope(45, VARIANTS, RESUME_METHODS)) for fault in case.faults]
    assert len({parse(fault).what for fault in played}) > 30
