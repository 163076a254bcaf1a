"""The exit code for a run that another machine has finished."""

from __future__ import annotations

import pytest

from runpod_deploy.cli.ended_elsewhere import code_here


@pytest.mark.parametrize(("told", "code"), [(1, 1), (8, 8), (255, 255)])
def test_a_failure_elsewhere_is_that_failure_here(told: object, code: int) -> None:
    assert code_here(told) == code


@pytest.mark.parametrize("told", [0, 256, -1, 512, True, False, None, "3", 3.0, [1]])
def test_whatever_names_no_failure_says_that_the_results_are_not_here(told: object) -> None:
    assert code_here(told) == 7
