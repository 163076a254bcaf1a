"""Simulators for these tests: as for those of the installed command."""

from tests.sim.conftest import sim

__all__ = ["sim"]
