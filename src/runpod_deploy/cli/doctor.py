"""doctor: is everything here that runs need?"""

from __future__ import annotations

from dataclasses import asdict

import click

from ..config.settings import cache_dir
from ..spec import SshSpec
from .access import real_cloud
from .checkup import Check, check_all
from .options import json_option
from .output import is_screen, output_options, put, put_json

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command("doctor", short_help="Check key, API, balance, SSH and rsync.")
@json_option
@output_options
def doctor(as_json: bool) -> int:
    """Check what runs need: key, API, balance, SSH, rsync; and say what to do about each that is wrong."""
    checks = []
    for check in check_all(real_cloud, SshSpec().resolved_key_path, cache_dir()):
        checks.append(check)
        if not as_json:
            put_check(check)
    if as_json:
        put_json([{k: v for k, v in asdict(check).items() if k != "exit_code"} for check in checks])
    return next((check.exit_code for check in checks if check.exit_code), 0)


def put_check(check: Check) -> None:
    """The check is on stdout, and what to do on a line of its own."""
    status = f"{check.status:8}"
    if is_screen():
        status = click.style(status, fg=COLOURS[check.status])
        click.echo(f"{status}{check.name:11}{check.message}")
    else:
        put([f"{status}{check.name:11}{check.message}"])
    if check.hint:
        put([f"{'':8}{'':11}{check.hint}"])
