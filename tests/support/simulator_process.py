"""What a simulator's process does when it is forked from one that has loaded the libraries. Knows no test."""

from __future__ import annotations

import asyncio
import os
import signal
from multiprocessing.connection import Connection

from runpod_sim.simulator import Settings, simulate


def serve(environment: dict[str, str], exports: Connection) -> None:
    """Serves a simulated cloud until it is terminated, in a session of its own and with this environment."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    asyncio.run(serve_until_terminated(exports))


async def serve_until_terminated(exports: Connection) -> None:
    """The variables that point a client at the simulator are sent; it is served until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with simulate(Settings()) as simulator:
        exports.send(simulator.exports)
        exports.close()
        await stop.wait()
