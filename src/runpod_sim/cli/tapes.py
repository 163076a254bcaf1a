"""The commands `record` and `replay`. Knows options and what is printed."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
from aiohttp import web

from ..recording import player, proxy, tape
from ..recording.redaction import Redaction
from ..simulator import HOST, server_socket
from .child import collect_signals, run_child

RUNPOD = "https://api.runpod.io"
PLAYED_KEY = "rpa_REPLAYED"


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The recording, a JSON file.")
@click.option("--upstream", default=RUNPOD, show_default=True, help="The API to pass requests on to.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def record(output: Path, upstream: str, command: tuple[str, ...]) -> None:
    """Run COMMAND on your own account, and keep what the API answers.

    Keys, ids, addresses and values of variables are replaced. Whatever COMMAND rents costs money as usual. The exit
    code is that of COMMAND.
    """
    _run(_record(output, upstream.rstrip("/"), command))


async def _record(output: Path, upstream: str, command: Sequence[str]) -> int:
    tape.write(output, [])  # a file that cannot be written is told before anything is rented
    arrived = collect_signals()
    async with proxy.new_session() as session:
        recorder = proxy.Recorder(upstream, session)
        try:
            async with _serving(proxy.application(recorder)) as url:
                return await run_child(command, os.environ | exports(url), arrived)
        finally:
            tape.write(output, Redaction().of_all(recorder.exchanges))
            told = f"runpod-sim: {len(recorder.exchanges)} exchanges in {output}; read it before you send it"
            click.echo(told, err=True)


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
def replay(recording: Path) -> None:
    """Answer as RECORDING has it until interrupted; first print the exports that point a client at it."""
    _run(_replay(recording))


async def _replay(recording: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _serving(player.application(tape.read(recording))) as url:
        for name, value in (exports(url) | {"RUNPOD_API_KEY": PLAYED_KEY}).items():
            click.echo(f"export {name}={shlex.quote(value)}")
        await stop.wait()
    return 0


def exports(url: str) -> dict[str, str]:
    """The variables that point clients at an API."""
    return {"RUNPOD_API_BASE_URL": url, "RUNPOD_GRAPHQL_URL": f"{url}/graphql", "RUNPOD_REST_V2_URL": f"{url}/v2"}


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[str]:
    """The address of the application, which is served on this machine only within the block."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    with server_socket(0) as listening:
        try:
            await web.SockSite(runner, listening).start()
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            await runner.cleanup()


def _run(work: Coroutine[Any, Any, int]) -> None:
    try:
        sys.exit(asyncio.run(work))
    except OSError as error:
        click.echo(f"runpod-sim: {error}", err=True)
        sys.exit(1)
