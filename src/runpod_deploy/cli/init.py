"""`init`: a first config for a project."""

from __future__ import annotations

from pathlib import Path

import click

from ..config.starter import look_at, starter
from ..errors import UsageError
from ..machine.files import write_atomically
from ..terminal.output import info, print_lines
from .options import output_options


@click.command
@click.option("--project-root", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR")
@click.option(
    "--output",
    "-o",
    default="runpod.yaml",
    metavar="NAME",
    help="The name of the file in that folder. Default: runpod.yaml.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@output_options
def init(project_root: Path, output: str, force: bool) -> None:
    """Write a commented config for the project in this folder, without asking anything."""
    path = project_root / output
    project = look_at(project_root)
    try:
        if force:  # a link in a checkout may lead to any file of the user: it is replaced, not followed
            write_atomically(path, starter(project))
        else:
            with path.open("x", encoding="utf-8") as file:
                file.write(starter(project))
    except FileExistsError:
        raise UsageError(
            f"{path} exists already", hint="replace it with --force, or choose another name with --output"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    print_lines([str(path)])
    info(f"{project.kind} project; check it with `runpod-deploy validate --config {path}`")
