"""The command line of the simulator. Without the libraries of the `sim` extra it says what to install.

commands   serve, exec, faults; the group to which chaos/ adds its own
child      the command that `exec` runs: one process, which gets our signals and the terminal
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

EXIT_UNAVAILABLE = 69
"""EX_UNAVAILABLE of sysexits.h: this installation or this machine cannot run the simulator."""
LIBRARIES = ("aiohttp", "asyncssh", "graphql", "jsonschema")
"""The libraries of the `sim` extra, by the names under which they are imported."""
INSTALL = "runpod-sim: the simulator's libraries are not installed ({}); run: pip install 'runpod-deploy[sim]'\n"


def main() -> None:
    """The console script."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        sys.stderr.write(INSTALL.format(", ".join(missing)))
        sys.exit(EXIT_UNAVAILABLE)
    # Imported late, because these modules import the libraries above.
    from .commands import cli

    cli(prog_name="runpod-sim")
