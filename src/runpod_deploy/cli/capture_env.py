"""`capture-env`: facts about the user's checkout, for the user's own records."""

from __future__ import annotations

from pathlib import Path

import click

from ..machine.git import capture_local_git, capture_payload_lockfile
from ..terminal.output import print_err, print_json
from .options import json_option, output_options


@click.command("capture-env")
@click.option("--project-root", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Default: here.")
@json_option
@output_options
def capture_env(project_root: Path, as_json: bool) -> None:  # noqa: ARG001 - its output is always JSON
    """Print commit, dirty flag, branch, lockfile and its hash as JSON. A value that is not known is null."""
    facts = {**capture_local_git(project_root), **capture_payload_lockfile(project_root)}
    unknown = [key for key, value in facts.items() if value is None]
    if unknown:
        print_err(f"warning: unknown: {', '.join(unknown)}")
    print_json(facts)
