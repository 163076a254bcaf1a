"""One simulator: a cloud, its HTTP server and its folder, from start to end."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from . import clock
from .cloud.cloud import Cloud
from .containers.container import Site
from .containers.pace import PACES
from .containers.sandbox import find_sandbox
from .containers.supervisor import Platform
from .faults.fault import Fault, Faults
from .records import catalogue
from .records.images import Images
from .routes.quotas import Limits, quotas
from .server import application
from .store.folders import folder
from .store.state import load, save, save_regularly

HOST = "127.0.0.1"
MCP_NAMES = ("RUNPOD_PUBLIC_GRAPHQL_URL", "RUNPOD_AUTHED_GRAPHQL_URL")
"""The names under which RunPod's MCP server looks for the address of GraphQL."""
# Fast pods are polled fast; the live service's contract is about 60 a minute.
PER_MINUTE = {"fast": 6000, "spec": 60}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options of a simulator."""

    port: int = 0
    pace: str = "fast"
    faults: tuple[Fault, ...] = ()
    balance_usd: float = 1_000_000.0
    per_minute: int | None = None
    api_key: str | None = None
    state_path: Path | None = None
    """The folder to load from and to save to; None: everything is deleted at the end."""
    clock_skew_s: float = 0.0
    billing_lag_s: float = 3600.0
    images: Images = field(default_factory=Images)
    egress: bool = False
    """Whether pods have this machine's network instead of one of their own."""


@dataclass(slots=True)
class Simulator:
    """A running simulator."""

    cloud: Cloud
    url: str
    exports: dict[str, str] = field(default_factory=dict)
    """Environment variables that point a client at it; official tools read those after them. The token opens /_sim/."""


@asynccontextmanager
async def simulate(settings: Settings) -> AsyncIterator[Simulator]:
    """A running simulator; at the end its pods are ended, or saved. Raises SandboxUnavailable, OSError."""
    sandbox = await find_sandbox(isolated=not settings.egress)
    clock.start(settings.clock_skew_s)
    # The port is known before the server starts, because pods get it in their environment.
    with server_socket(settings.port) as listening, folder(settings.state_path) as root:
        port = listening.getsockname()[1]
        site = Site(root, f"http://{HOST}:{port}", catalogue.load(), images=settings.images)
        cloud = _cloud(settings, Platform(sandbox, PACES[settings.pace], site))
        limits = Limits(quotas(settings.per_minute or PER_MINUTE[settings.pace]))
        control_token = secrets.token_hex(16)
        runner = web.AppRunner(application(cloud, limits, control_token), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        async with _running(cloud, root if settings.state_path else None):
            try:
                await web.SockSite(runner, listening).start()
                yield Simulator(cloud, site.api_url, _exports(site.api_url, cloud.api_key, control_token))
            finally:
                await runner.cleanup()
        await sandbox.sockets.close()


@asynccontextmanager
async def _running(cloud: Cloud, kept: Path | None) -> AsyncIterator[None]:
    """Within the block the balance is charged and a kept cloud is saved; afterwards no process is left."""
    if kept:
        load(cloud, kept)
    tasks = [asyncio.create_task(cloud.charge()), *([asyncio.create_task(save_regularly(cloud, kept))] if kept else [])]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if kept:
            save(cloud, kept)
        await (cloud.pause() if kept else cloud.close())


def server_socket(port: int) -> socket.socket:
    """A socket that listens on the port, or on a free one for 0, so that nobody else can take it. Raises OSError."""
    listening = socket.socket()
    if port:
        # A free port must not be shared, but a named one may still have old connections in TIME_WAIT.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def _cloud(settings: Settings, platform: Platform) -> Cloud:
    site, faults = platform.site, Faults(list(settings.faults))
    cloud = Cloud(platform, site.catalogue, faults, settings.balance_usd, secrets=site.secrets)
    cloud.billing_lag_s = settings.billing_lag_s
    if settings.api_key:
        cloud.api_key = settings.api_key
    return cloud


def _exports(url: str, key: str, control_token: str) -> dict[str, str]:
    return {
        "RUNPOD_API_BASE_URL": url,
        "RUNPOD_API_KEY": key,
        "RUNPOD_SIM_TOKEN": control_token,
        "RUNPOD_GRAPHQL_URL": f"{url}/graphql",
        "RUNPOD_REST_V2_URL": f"{url}/v2",
        **dict.fromkeys(MCP_NAMES, f"{url}/graphql"),
    }
