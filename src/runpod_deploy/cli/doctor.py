"""doctor: checks whether this machine has everything that runs need."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..config.settings import cache_dir
from ..spec import SshSpec
from ..terminal.output import can_draw, print_json, print_lines
from ..terminal.style import state_colour
from .access import real_cloud
from .checkup import Check, check_all
from .options import json_option, output_options


@click.command("doctor")
@json_option
@output_options
def doctor(as_json: bool) -> int:
    """Check key, API, balance, SSH and rsync, and say what to do about each problem."""
    checks = []
    for check in check_all(real_cloud, SshSpec().resolved_key_path, cache_dir(), Path.cwd()):
        checks.append(check)
        if not as_json:
            print_check(check)
    if as_json:
        print_json([{k: v for k, v in asdict(check).items() if k != "exit_code"} for check in checks])
    return next((check.exit_code for check in checks if check.exit_code), 0)


def print_check(check: Check) -> None:
    """stdout has the check, and its hint on a line of its own."""
    status, rest = f"{check.status:8}", f"{check.name:11}{check.message}"
    if can_draw():
        from .screens import show, styled  # rich is slow to import, and only needed here

        show([styled(status, state_colour(check.status), rest)])
    else:
        print_lines([status + rest])
    if check.hint:
        print_lines([f"{'':8}{'':11}{check.hint}"])
