"""`estimate`: what a config would cost on the GPU that would be tried first."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..cloud.choosing import choose_for
from ..config import load, parse_variables
from ..forecast.estimate import estimate as figures
from ..forecast.estimate import lines
from ..machine.clock import SystemClock
from ..record.paths import time_stamp
from ..terminal.output import print_json
from .access import real_cloud
from .options import config_argument, json_option, output_options, variable_options
from .tables import print_labelled


@click.command
@config_argument
@variable_options
@json_option
@output_options
def estimate(config: Path, var: tuple[str, ...], vars_file: Path | None, as_json: bool) -> None:
    """Print price, time limit and forecast, disks included, for the GPU that a run would try first."""
    draft = load(config, cli_variables=parse_variables(var, vars_file))
    now = SystemClock().now()
    spec = draft.render(stamp=time_stamp(now), run_dir=draft.trial_run_dir, created_at=now)
    shown = figures(str(config), spec, choose_for(spec, real_cloud()))
    print_json(asdict(shown)) if as_json else print_labelled(lines(shown))
