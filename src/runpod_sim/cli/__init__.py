"""The command line of the simulator.

    commands   serve, exec, faults; the group to which chaos/ adds its own
    child      the command that `exec` runs: one process, which gets our signals and the terminal
"""

from __future__ import annotations

EXIT_UNAVAILABLE = 69
"""EX_UNAVAILABLE of sysexits.h: this installation or this machine cannot run the simulator."""


def main() -> None:
    """The console script."""
    from .commands import cli

    cli(prog_name="runpod-sim")
