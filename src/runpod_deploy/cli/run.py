"""`run` and `resume`: one job from YAML to manifest."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from .. import live
from ..config import load, parse_variables
from ..config.draft import Draft
from ..config.settings import read_settings
from ..driver import Manner, drive
from ..errors import ConfigError, UsageError
from ..journal import RunDir, reserve
from ..local import deploy_metadata
from ..run import World
from ..spec import Spec
from ..spec_json import spec_from_json
from ..state import Failure, State
from .options import config_option, variable_options, verbosity_options

STAMP = "%Y%m%dT%H%M%SZ"

# Flags that replace a value of the file: flag, its place in the file, type.
REPLACING: tuple[tuple[str, str, type], ...] = (
    ("cost_cap_usd", "budget.cost_cap_usd", float),
    ("max_runtime_minutes", "budget.max_runtime_minutes", int),
    ("ssh_ready_timeout_sec", "budget.ssh_ready_timeout_sec", int),
    ("max_gpu_price", "budget.max_gpu_price", float),
    ("on_success", "lifecycle.on_success", str),
    ("on_failure", "lifecycle.on_failure", str),
)


def replacing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A flag for each value that may be replaced for one run."""
    for flag, place, kind in reversed(REPLACING):
        name = "--" + flag.replace("_", "-")
        command = click.option(name, type=kind, help=f"Replaces {place} for this run.")(command)
    return command


@click.command(short_help="Run one job, from YAML to manifest.")
@config_option
@variable_options
@replacing_options
@click.option("--print-run-dir", is_flag=True, help="Print RUN_DIR=<path> on stdout, first of all.")
@click.option("--detach", is_flag=True, help="Leave once the job runs; `resume` or `attach` takes it up again.")
@verbosity_options
def run(config: Path, var: tuple[str, ...], vars_file: Path | None, print_run_dir: bool, **given: Any) -> int:
    """Provision one pod, run one job on it, pull its artifacts, write a manifest, leave nothing billing."""
    draft = load(config, cli_variables=parse_variables(var, vars_file), overrides=overrides(given))
    world = real_world()
    spec, run_dir = begin(draft)
    if print_run_dir:
        click.echo(f"RUN_DIR={run_dir.path}")
        sys.stdout.flush()
    return finish(drive(spec, run_dir, world, manner(given)), spec, run_dir)


@click.command(short_help="Take a run up again from its folder.")
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option("--wait", type=float, default=0.0, help="Seconds to wait for another process that holds the run.")
@verbosity_options
def resume(run_dir: Path, wait: float, **given: Any) -> int:
    """Go on from a run's journal to the same end: after a crash, a power cut, or a `run --detach`."""
    folder = RunDir(run_dir.absolute())
    spec = recorded_spec(folder)
    state = drive(spec, folder, real_world(), manner({**given, "wait_s": wait}))
    return finish(state, spec, folder)


def overrides(given: dict[str, Any]) -> dict[str, object]:
    """The values that flags replace, by their place in the file."""
    return {place: given[flag] for flag, place, _ in REPLACING if given[flag] is not None}


def real_world() -> World:
    """RunPod with the caller's key. Raises AuthRefused."""
    settings = read_settings()
    cache_dir = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runpod-deploy"
    return live.world(settings.api_key, settings.origin, environ=dict(os.environ), cache_dir=cache_dir)


def begin(draft: Draft) -> tuple[Spec, RunDir]:
    """A run folder of our own and the spec rendered for it."""
    now = datetime.now(UTC)
    run_dir, stamp = reserve(draft.project_root, now.strftime(STAMP))
    spec = draft.render(stamp=stamp, run_dir=run_dir.path, created_at=now)
    return replace(spec, metadata=deploy_metadata(spec.project_root, spec.job.telemetry)), run_dir


def recorded_spec(run_dir: RunDir) -> Spec:
    """What was asked, as the run folder has it. Raises UsageError, ConfigError."""
    if not run_dir.spec.is_file():
        raise UsageError(
            f"{run_dir.path}: not a run folder: it holds no {run_dir.spec.name}",
            hint="give the path that `run --print-run-dir` printed",
        )
    try:
        return spec_from_json(run_dir.spec.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{run_dir.spec}: cannot be read: {error}") from error


def manner(given: dict[str, Any]) -> Manner:
    """How to carry the run out, from the flags."""
    return Manner(
        detach=bool(given.get("detach")),
        quiet=given["verbosity"] > logging.INFO,
        verbose=given["verbosity"] < logging.INFO,
        wait_s=float(given.get("wait_s") or 0.0),
    )


def finish(state: State, spec: Spec, run_dir: RunDir) -> int:
    """The exit code, once the last word is on stderr: what went wrong, what to do, and loudest what still bills."""
    marker = spec.job.run.success_marker
    failure = state.failure(marker)
    if state.detached:
        click.echo(f"hint: go on with `runpod-deploy resume {run_dir.path}`", err=True)
    elif failure is not None and failure.kind != "release_unconfirmed":
        say(failure)
    if state.pod_may_exist and not state.detached:
        for unreleased in [f for f in state.closing_failures if f.phase == "release"][-1:]:
            click.echo(f"hint: {unreleased.hint}", err=True)
            click.echo(f"error: {unreleased.message}", err=True)
    return state.exit_code(marker)


def say(failure: Failure) -> None:
    """The failure and its hint are on stderr, a line each."""
    click.echo(f"error: {failure.message}", err=True)
    if failure.hint:
        click.echo(f"hint: {failure.hint}", err=True)
