"""The command line of the simulator. Knows words, signals and child processes."""

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

from .chaos.command import chaos
from .cloud.ledger import ledger
from .containers.pace import PACES
from .containers.sandbox import SandboxUnavailable
from .faults.faults import BadFault, Fault, describe, parse
from .simulator import Settings, Simulator, simulate

EXIT_LEFT = 97
EXIT_UNAVAILABLE = 69
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


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
        "--pace", type=click.Choice(list(PACES)), default="fast", show_default=True, help="How fast pods age."
    ),
    click.option("--fault", "faults", type=FaultType(), multiple=True, help="Something that goes wrong; repeatable."),
    click.option("--balance", "balance_usd", default=1_000_000.0, help="USD of credit on the account."),
    click.option("--clock-skew", "clock_skew_s", default=0.0, help="Seconds that the cloud's clock is ahead of yours."),
    click.option(
        "--billing-lag", "billing_lag_s", default=3600.0, help="Seconds that bills are behind.", show_default=True
    ),
    click.option("--requests-per-minute", "per_minute", type=int, help="Quota of each key (fast: 6000, spec: 60)."),
)


def simulator_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both ways to start a simulator take."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A simulator of the RunPod cloud: its API, its pods, its failures and its bill."""


cli.add_command(chaos)


@cli.command()
@simulator_options
@click.option("--ledger", "ledger_path", type=click.Path(path_type=Path), help="Write the ledger there at the end.")
@click.option("--state", "state_path", type=click.Path(path_type=Path), help="Keep everything there; take it up again.")
def serve(ledger_path: Path | None, **settings: Any) -> None:
    """Answer until interrupted; first print the exports that point a client here."""
    run(_serve(Settings(**settings), ledger_path))


async def _serve(settings: Settings, ledger_path: Path | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with simulate(settings) as simulator:
        for name, value in simulator.exports.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        await stop.wait()
        write_ledger(simulator, ledger_path)
    return 0


@cli.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@simulator_options
@click.option("--ledger", "ledger_path", type=click.Path(path_type=Path), help="Write the ledger there at the end.")
@click.option("--strict", is_flag=True, help=f"Exit {EXIT_LEFT} if the command left a pod, a stopped one included.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(command: tuple[str, ...], ledger_path: Path | None, strict: bool, **settings: Any) -> None:
    """Run a command against a simulator of its own; then end every pod. The command's exit code is ours."""
    run(_execute(Settings(**settings), command, ledger_path, strict))


async def _execute(settings: Settings, command: Sequence[str], ledger_path: Path | None, strict: bool) -> int:
    arrived: list[int] = []
    loop = asyncio.get_running_loop()
    for number in FORWARDED:
        loop.add_signal_handler(number, arrived.append, number)
    async with simulate(settings) as simulator:
        code = await _run_child(command, os.environ | simulator.exports, arrived)
        left = simulator.cloud.left()
        write_ledger(simulator, ledger_path)
        if strict and left:
            names = ", ".join(f"{pod.ask['name']} ({pod.id}, {pod.status})" for pod in left)
            print(f"runpod-sim: left {len(left)} pod{'s' * (len(left) > 1)}: {names}", file=sys.stderr)
            return EXIT_LEFT
    return code


async def _run_child(command: Sequence[str], env: dict[str, str], arrived: list[int]) -> int:
    """The command's exit code, 128 + n for a signal; signals that we get are its signals, once each.

    It has a process group of its own, or a Ctrl-C would reach it twice: from the terminal and from us.
    """
    try:
        child = await asyncio.create_subprocess_exec(*command, env=env, process_group=0)
    except OSError as error:
        print(f"runpod-sim: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    loop = asyncio.get_running_loop()
    for number in FORWARDED:
        loop.add_signal_handler(number, _forward, child.pid, number)
    for early in arrived:
        _forward(child.pid, early)
    owned = _give_terminal(child.pid)
    code = await child.wait()
    if owned:
        _give_terminal(os.getpgrp())
    return code if code >= 0 else 128 - code


def _forward(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def _give_terminal(group: int) -> bool:
    """Whether that group may now read from the terminal and is interrupted by it."""
    if not sys.stdin.isatty():
        return False
    # A background group that changes the terminal's owner is stopped, unless it ignores that signal.
    previous = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(sys.stdin.fileno(), group)
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGTTOU, previous)
    return True


@cli.command()
def faults() -> None:
    """Print what can be made to go wrong, and how to say it."""
    print(describe())


def write_ledger(simulator: Simulator, path: Path | None) -> None:
    """The file holds the ledger as of now."""
    if path is not None:
        path.write_text(json.dumps(ledger(simulator.cloud), indent=2) + "\n")


def run(work: Coroutine[Any, Any, int]) -> None:
    """The process ends with the work's exit code; what this machine cannot do is said without a traceback."""
    try:
        sys.exit(asyncio.run(work))
    except SandboxUnavailable as error:
        print(f"runpod-sim: {error}", file=sys.stderr)
        sys.exit(EXIT_UNAVAILABLE)
    except OSError as error:
        print(f"runpod-sim: {error}", file=sys.stderr)
        sys.exit(1)


def main() -> None:
    """The console script."""
    cli(prog_name="runpod-sim")
