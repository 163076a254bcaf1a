"""A small tree of runs of many fates; `python -m tests.acceptance` grows one of two hundred, slow fates and all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.checks import CHECKS, failures
from tests.acceptance.fates import FATES
from tests.acceptance.growing import grow
from tests.support.harness import Simulator

FEW = (
    *("dear", "job-failed", "setup-failed", "artifact-missing", "sold-out", "cap", "host-lost"),
    *("interrupted", "killed-twice", "left", "detached", "stopped", "recycled", "second-choice"),
)


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    """The cloud of one tree."""
    (tmp_path / "home").mkdir()
    simulator = Simulator(tmp_path / "home")
    yield simulator
    simulator.stop()


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq counts independently, and is not installed")
@pytest.mark.timeout(1200)
def test_every_command_says_what_is_counted_without_it(sim: Simulator, tmp_path: Path) -> None:
    fates = [fate for fate in FATES if fate.name in FEW]
    said: list[str] = []
    count = sum(fate.runs for fate in fates)
    tree = grow(sim, tmp_path, fates, count=count, at_once=3)
    assert (failures(tree, said.append), len(said)) == ([], len(CHECKS))
    assert len(tree.runs) == count == 16
