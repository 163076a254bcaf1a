"""`init`: a first config for the project at hand."""

from __future__ import annotations

from pathlib import Path

import click

from ..config.starter import look_at, starter
from ..errors import UsageError
from ..terminal.output import info, print_lines
from .options import output_options


@click.command(short_help="Write a commented config for this project.")
@click.option("--project-root", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR")
@click.option("--output", "-o", default="runpod.yaml", metavar="NAME", help="Default: runpod.yaml in that folder.")
@click.option("--force", is_flag=True, help="Replace a file of that name.")
@output_options
def init(project_root: Path, output: str, force: bool) -> None:
    """Write a commented config for the project in this folder. Asks nothing."""
    path = project_root / output
    project = look_at(project_root)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter(project))
    except FileExistsError:
        raise UsageError(f"{path} is there already", hint="give --force, or another name with --output") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    print_lines([str(path)])
    info(f"{project.kind} project; check it with `runpod-deploy validate --config {path}`")
