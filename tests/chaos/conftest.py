"""Simulators for these tests: as for those of the installed command."""

from tests.end_to_end.conftest import sim

__all__ = ["sim"]
