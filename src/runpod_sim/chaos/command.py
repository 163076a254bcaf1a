"""`runpod-sim chaos`: kill a driver in many ways and check the bill. Knows click; runs cases and prints the table."""

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
from ..image_option import image_option
from ..records.images import Images
from .cases import AS_GIVEN, BY_FOLDER, RECYCLED, RESUME_METHODS, VARIANTS, Case, Scope, cases
from .judge import Expected, expected, violations
from .project import project, with_own_image
from .runner import Target, run_case
from .table import Judged, details, line, table

OWN_CONFIG = Path(__file__).parent / "sample/job.yaml"
REFERENCE_RUNS = 2


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    *("--config", "config"), type=click.Path(path_type=Path, exists=True, dir_okay=False), default=OWN_CONFIG,
    help="The job to run; default: a small one.",
)  # fmt: skip
@click.option(
    *("--project", "folder"), type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder to copy for each case; default: the config's.",
)  # fmt: skip
@click.option("--cases", "count", type=click.IntRange(1), default=20, show_default=True, help="How many cases.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same cases.")
@click.option("--only", type=int, multiple=True, help="Run only the case with this number; repeatable.")
@click.option("--jobs", type=click.IntRange(1), default=3, show_default=True, help="How many cases at the same time.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the folders of the cases in this folder.")
@click.option("--verbose", is_flag=True, help="Print each case, and the driver's output where it failed.")
@image_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def chaos(
    config: Path, folder: Path | None, count: int, seed: int, only: tuple[int, ...], jobs: int, keep: Path | None,
    verbose: bool, images: Images, command: tuple[str, ...],
) -> None:  # fmt: skip
    """Kill a driver at every step of its run while the cloud fails; then check the bill.

    COMMAND is the driver (default: runpod-deploy); it is called with `run`, `resume` and `audit`. Each case has a
    copy of the project and a simulator of its own. Exit code 1 if any promise was broken.
    """
    try:
        target = Target(
            resolved(command or ("runpod-deploy",)), project(config, folder), images=with_own_image(images), keep=keep
        )
        plan = Plan(count, seed, only, jobs, verbose)
        # The config of a user runs as it is, and of another driver only `run` and `resume` are known.
        variants = [variant for variant in VARIANTS if not command or variant != RECYCLED]
        plan.variants = variants if config == OWN_CONFIG else (AS_GIVEN,)
        plan.resume_methods = (BY_FOLDER,) if command else RESUME_METHODS
        judged = asyncio.run(run_all(target, plan))
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise click.Abort from None
    except (SandboxUnavailable, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("\n".join([*details(judged, verbose), *table(judged)]))
    sys.exit(1 if any(found for _, found in judged) else 0)


def resolved(command: Sequence[str]) -> list[str]:
    """The command with an absolute path, because it runs in other folders. Raises ValueError."""
    beside = Path(sys.executable).parent
    path = shutil.which(command[0]) or shutil.which(command[0], path=str(beside))
    if path is None:
        raise ValueError(f"{command[0]}: no such command")
    return [str(Path(path).absolute()), *command[1:]]


class Plan:
    """Which cases to run, and how many at the same time."""

    def __init__(self, count: int, seed: int, only: tuple[int, ...], jobs: int, verbose: bool) -> None:
        self.count, self.seed, self.only, self.verbose = count, seed, only, verbose
        self.variants: Sequence[str] = (AS_GIVEN,)
        self.resume_methods: Sequence[str] = (BY_FOLDER,)
        self.slots = asyncio.Semaphore(jobs)

    def cases(self, rows: int) -> Iterable[Case]:
        """The cases to run, for a journal of so many rows."""
        made = cases(max([self.count, *self.only]), self.seed, Scope(rows, self.variants, self.resume_methods))
        return (case for case in made if not self.only or case.number in self.only)


async def run_all(target: Target, plan: Plan) -> list[Judged]:
    """Every case, run and judged. A signal ends the drivers and the pods too."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    found = await asyncio.gather(*(reference(target, variant, plan) for variant in plan.variants))
    wanted = dict(zip(plan.variants, found, strict=True))
    codes = {variant: one.code for variant, one in wanted.items()}
    if len(set(codes.values())) > 1:
        raise ValueError(f"undisturbed runs of the variants do not end alike: {codes}")
    target = replace(target, usd_per_hour=max(one.usd_per_hour for one in wanted.values()))
    chosen = plan.cases(wanted[plan.variants[0]].rows)
    return list(await asyncio.gather(*(run_one(case, target, wanted[case.variant], plan) for case in chosen)))


async def reference(target: Target, variant: str, plan: Plan) -> Expected:
    """The common result of undisturbed runs of this variant. Raises ValueError."""
    # One after the other, so that a time of day in a file is not taken for a result.
    async with plan.slots:
        return expected([await run_case(Case(variant=variant), target) for _ in range(REFERENCE_RUNS)])


async def run_one(case: Case, target: Target, wanted: Expected, plan: Plan) -> Judged:
    """The case, run and judged once a slot is free."""
    async with plan.slots:
        outcome = await run_case(case, target)
    found = list(violations(outcome, wanted))
    if plan.verbose:
        click.echo(line(outcome, found), err=True)
    return outcome, found
