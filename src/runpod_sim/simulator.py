"""One simulator: a cloud, its HTTP server and its folder, from start to end."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from . import catalogue
from .cloud import Cloud
from .container import Ground
from .faults import Fault, Faults
from .life import World
from .limits import Limits, quotas
from .pace import PACES
from .sandbox import find_sandbox, wipe
from .server import application

HOST = "127.0.0.1"
# Fast pods are polled fast; the live service's contract is about 60 a minute.
PER_MINUTE = {"fast": 6000, "spec": 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a simulator is started with."""

    port: int = 0
    pace: str = "fast"
    faults: tuple[Fault, ...] = ()
    balance_usd: float = 1_000_000.0
    per_minute: int | None = None
    api_key: str | None = None


@dataclass(slots=True)
class Simulator:
    """One that answers."""

    cloud: Cloud
    url: str
    exports: dict[str, str] = field(default_factory=dict)
    """What points a client at it; the last two are the names that official tools read."""


@asynccontextmanager
async def simulate(settings: Settings) -> AsyncIterator[Simulator]:
    """A simulator that answers; on the way out every pod is ended. Raises SandboxUnavailable, OSError."""
    sandbox = await find_sandbox()
    root = Path(tempfile.mkdtemp(prefix="runpod-sim-"))
    kinds = catalogue.load()
    listening = await asyncio.get_running_loop().create_server(asyncio.Protocol, HOST, settings.port)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    url = f"http://{HOST}:{port}"
    ground = Ground(root, url, kinds)
    world = World(sandbox, PACES[settings.pace], ground)
    cloud = Cloud(world, kinds, Faults(list(settings.faults)), settings.balance_usd)
    if settings.api_key:
        cloud.api_key = settings.api_key
    limits = Limits(quotas(settings.per_minute or PER_MINUTE[settings.pace]))
    runner = web.AppRunner(application(cloud, limits), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        yield Simulator(cloud, url, _exports(url, cloud.api_key))
    finally:
        await cloud.close()
        await runner.cleanup()
        wipe(root)


def _exports(url: str, key: str) -> dict[str, str]:
    return {
        "RUNPOD_API_BASE_URL": url,
        "RUNPOD_API_KEY": key,
        "RUNPOD_GRAPHQL_URL": f"{url}/graphql",
        "RUNPOD_REST_V2_URL": f"{url}/v2",
    }
