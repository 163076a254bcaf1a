"""Simulators for the tests of the installed command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import Simulator


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator for one test, with an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    simulator = Simulator(home)
    yield simulator
    simulator.stop()
