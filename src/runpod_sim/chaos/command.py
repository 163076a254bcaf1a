"""`runpod-sim chaos`: torture a config and its driver. Knows click; starts the cases and prints the table."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ..containers.sandbox import SandboxUnavailable
from .cases import AS_GIVEN, GROUNDS, PLAIN, WAYS, Case, Scope, cases
from .judge import Expected, expected, flaws
from .play import Stage, play
from .project import project
from .table import Judged, complaints, line, table

OWN_CONFIG = Path(__file__).parent / "sample/job.yaml"
UNDISTURBED = 2


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    *("--config", "config"), type=click.Path(path_type=Path, exists=True, dir_okay=False), default=OWN_CONFIG,
    help="The job to torture; default: a small one.",
)  # fmt: skip
@click.option(
    *("--project", "folder"), type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder to copy for each case; default: the config's.",
)  # fmt: skip
@click.option("--cases", "count", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same cases.")
@click.option("--only", type=int, multiple=True, help="Only the case of that number; repeatable.")
@click.option("--jobs", type=click.IntRange(1), default=3, show_default=True, help="How many at the same time.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the folders of the cases there.")
@click.option("--verbose", is_flag=True, help="Print each case, and what the driver said where it failed.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def chaos(
    config: Path, folder: Path | None, count: int, seed: int, only: tuple[int, ...], jobs: int, keep: Path | None,
    verbose: bool, command: tuple[str, ...],
) -> None:  # fmt: skip
    """Kill a driver at every step of its run, while the cloud fails; then look at the bill.

    COMMAND is the driver (default: runpod-deploy); it is called with `run`, `resume` and `audit`. Each case works on
    a copy of the project and a simulator of its own. Exit code 1 if any promise was broken.
    """
    try:
        stage = Stage(resolved(command or ("runpod-deploy",)), project(config, folder), keep=keep)
        plan = Plan(count, seed, only, jobs, verbose)
        # Of somebody else's driver only `run` and `resume` are known, and his config is played as it is.
        plan.grounds = GROUNDS if config == OWN_CONFIG else (AS_GIVEN,)
        plan.ways = (PLAIN,) if command else WAYS
        judged = asyncio.run(tortured(stage, plan))
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise click.Abort from None
    except (SandboxUnavailable, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join([*complaints(judged, verbose), *table(judged)]))
    sys.exit(1 if any(found for _, found in judged) else 0)


def resolved(command: Sequence[str]) -> list[str]:
    """The command by its absolute path, for it works in other folders. Raises ValueError."""
    beside = Path(sys.executable).parent
    path = shutil.which(command[0]) or shutil.which(command[0], path=str(beside))
    if path is None:
        raise ValueError(f"{command[0]}: no such command")
    return [str(Path(path).absolute()), *command[1:]]


class Plan:
    """How much to do."""

    def __init__(self, count: int, seed: int, only: tuple[int, ...], jobs: int, verbose: bool) -> None:
        self.count, self.seed, self.only, self.verbose = count, seed, only, verbose
        self.grounds: Sequence[str] = (AS_GIVEN,)
        self.ways: Sequence[str] = (PLAIN,)
        self.turns = asyncio.Semaphore(jobs)

    def cases(self, rows: int) -> Iterable[Case]:
        """Those that are to be played."""
        made = cases(max([self.count, *self.only]), self.seed, Scope(rows, self.grounds, self.ways))
        return (case for case in made if not self.only or case.number in self.only)


async def tortured(stage: Stage, plan: Plan) -> list[Judged]:
    """Every case, played and judged. A signal ends the drivers and the pods too."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    wanted = {ground: await rehearsed(stage, ground) for ground in plan.grounds}
    stage = replace(stage, usd_per_hour=max(one.usd_per_hour for one in wanted.values()))
    chosen = plan.cases(wanted[plan.grounds[0]].rows)
    return list(await asyncio.gather(*(in_turn(case, stage, wanted[case.ground], plan) for case in chosen)))


async def rehearsed(stage: Stage, ground: str) -> Expected:
    """What undisturbed runs on this ground have in common. Raises ValueError."""
    # One after the other, so that a time of day in a file is not taken for a result.
    return expected([await play(Case(ground=ground), stage) for _ in range(UNDISTURBED)])


async def in_turn(case: Case, stage: Stage, wanted: Expected, plan: Plan) -> Judged:
    """The case, once there is room for it."""
    async with plan.turns:
        played = await play(case, stage)
    found = list(flaws(played, wanted))
    if plan.verbose:
        click.echo(line(played, found), err=True)
    return played, found
