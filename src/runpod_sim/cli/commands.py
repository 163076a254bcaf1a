"""The commands `serve`, `exec` and `faults`. Knows options and what is printed; knows no HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import click

from ..chaos.command import chaos
from ..cloud.ledger import ledger
from ..containers.pace import PACES
from ..containers.sandbox import SandboxUnavailable
from ..faults.fault import BadFault, Fault, parse
from ..faults.kinds import describe
from ..image_option import image_option
from ..simulator import Settings, Simulator, simulate
from . import EXIT_UNAVAILABLE
from .child import collect_signals, run_child
from .tapes import record, replay

EXIT_LEFT = 97


class FaultType(click.ParamType[Fault]):
    """A fault as JSON."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        """The fault; see `runpod-sim faults`."""
        try:
            return parse(value)
        except (BadFault, ValueError, TypeError) as error:
            self.fail(f"{error}. See: runpod-sim faults", param, ctx)


OPTIONS = (
    click.option("--port", default=0, show_default="a free one", help="Port of the API on 127.0.0.1."),
    click.option(
        "--pace",
        type=click.Choice(list(PACES)),
        default="fast",
        show_default=True,
        help="How fast pods boot and end: at once, or as at RunPod (spec).",
    ),
    click.option(
        "--fault", "faults", type=FaultType(), multiple=True, help="A fault to inject; repeatable. See: faults."
    ),
    click.option("--balance", "balance_usd", default=1_000_000.0, help="Credit on the account, in USD."),
    click.option("--clock-skew", "clock_skew_s", default=0.0, help="Seconds that the cloud's clock is ahead of yours."),
    click.option(
        "--billing-lag",
        "billing_lag_s",
        default=3600.0,
        help="Seconds until a cost appears on the bill.",
        show_default=True,
    ),
    image_option,
    click.option("--egress", is_flag=True, help="Give pods this machine's network: they can download and upload."),
    click.option(
        "--requests-per-minute", "per_minute", type=int, help="Request quota of each key (fast: 6000, spec: 60)."
    ),
)
LEDGER = click.option(
    "--ledger",
    "ledger_path",
    type=click.Path(path_type=Path),
    help="Write a JSON file at the end: pods created and left, money, requests.",
)


def simulator_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the options that both ways to start a simulator take."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A simulator of the RunPod cloud: its API, its pods, its failures and its bill."""


cli.add_command(chaos)
cli.add_command(record)
cli.add_command(replay)


@cli.command()
@simulator_options
@LEDGER
@click.option(
    "--state", "state_path", type=click.Path(path_type=Path), help="Keep the cloud in this folder; continue from it."
)
def serve(ledger_path: Path | None, **settings: Any) -> None:
    """Run a simulated cloud until interrupted; first print the exports that point a client at it."""
    run(_serve(Settings(**settings), ledger_path))


async def _serve(settings: Settings, ledger_path: Path | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with simulate(settings) as simulator:
        say_what_is_shared(settings, simulator)
        for name, value in simulator.exports.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        await stop.wait()
        write_ledger(simulator, ledger_path)
    return 0


@cli.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@simulator_options
@LEDGER
@click.option("--strict", is_flag=True, help=f"Exit {EXIT_LEFT} if the command left a pod, running or stopped.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(command: tuple[str, ...], ledger_path: Path | None, strict: bool, **settings: Any) -> None:
    """Run COMMAND against a simulated cloud of its own, then end every pod that is left.

    The exit code is that of COMMAND.
    """
    run(_execute(Settings(**settings), command, ledger_path, strict))


async def _execute(settings: Settings, command: Sequence[str], ledger_path: Path | None, strict: bool) -> int:
    arrived = collect_signals()
    async with simulate(settings) as simulator:
        say_what_is_shared(settings, simulator)
        code = await run_child(command, os.environ | simulator.exports, arrived)
        left = simulator.cloud.left()
        write_ledger(simulator, ledger_path)
        if strict and left:
            names = ", ".join(f"{pod.spec['name']} ({pod.id}, {pod.status})" for pod in left)
            click.echo(f"runpod-sim: left {len(left)} pod{'s' * (len(left) > 1)}: {names}", err=True)
            return EXIT_LEFT
    return code


@cli.command()
def faults() -> None:
    """List the faults that can be injected, and their JSON."""
    click.echo(describe())


def say_what_is_shared(settings: Settings, simulator: Simulator) -> None:
    """A line on stderr if pods were to have networks of their own and cannot."""
    if not settings.egress and not simulator.cloud.platform.sandbox.isolated:
        click.echo(
            "runpod-sim: this machine allows no network namespaces, so pods share its network as with --egress",
            err=True,
        )


def write_ledger(simulator: Simulator, path: Path | None) -> None:
    """The file holds the ledger as it is now."""
    if path is not None:
        path.write_text(json.dumps(ledger(simulator.cloud), indent=2) + "\n")


def run(work: Coroutine[Any, Any, int]) -> None:
    """The process ends with the exit code of the work; an error of this machine is one message, not a traceback."""
    try:
        sys.exit(asyncio.run(work))
    except SandboxUnavailable as error:
        click.echo(f"runpod-sim: {error}", err=True)
        sys.exit(EXIT_UNAVAILABLE)
    except OSError as error:
        click.echo(f"runpod-sim: {error}", err=True)
        sys.exit(1)
