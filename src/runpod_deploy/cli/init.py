"""`init`: a first config for a project, made for it or copied from an example."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..config.examples import example_files, example_names
from ..config.starter import look_at, starter
from ..errors import UsageError
from ..machine.files import write_atomically
from ..terminal.output import info, print_lines
from .options import output_options

BYTES = "surrogateescape"
"""Files of an example may be binary: so they are text whose bytes come out as they went in."""


@click.command
@click.option("--project-root", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR")
@click.option(
    "--output",
    "-o",
    default="runpod.yaml",
    metavar="NAME",
    help="The name of the file in that folder. Default: runpod.yaml.",
)
@click.option(
    "--from", "example", metavar="EXAMPLE", help="Copy a complete example and its files: --from list shows them."
)
@click.option("--force", is_flag=True, help="Replace the files if they exist.")
@output_options
def init(project_root: Path, output: str, example: str | None, force: bool) -> None:
    """Write a commented config for the project in this folder, without asking anything."""
    path = project_root / output
    if example == "list":
        print_lines(example_names())
    elif example is not None:
        write(project_root, copied(example, output), force)
        info(f"example {example}; check it with `runpod-deploy validate --config {path}`")
    else:
        project = look_at(project_root)
        write(project_root, {output: starter(project)}, force)
        info(f"{project.kind} project; check it with `runpod-deploy validate --config {path}`")


def copied(example: str, output: str) -> dict[str, str]:
    """The example's files by their place in the project. Raises UsageError if there is no such example."""
    if example not in example_names():
        raise UsageError(f"there is no example {example!r}", hint="one of: " + ", ".join(example_names()))
    return {
        place: source.read_bytes().decode("utf-8", BYTES) for place, source in example_files(example, output).items()
    }


def write(root: Path, files: dict[str, str], force: bool) -> None:
    """All files are written, or none if one of them exists and may not be replaced; their paths are printed."""
    taken = [str(root / place) for place in files if not force and os.path.lexists(root / place)]
    if taken:
        raise UsageError(
            f"{', '.join(taken)}: exists already",
            hint="replace it with --force, or choose another name with --output, or another folder with --project-root",
        )
    for place, content in files.items():
        write_one(root / place, content, force)
    print_lines([str(root / place) for place in files])


def write_one(path: Path, text: str, force: bool) -> None:
    """The file holds the text. Raises UsageError if it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if force:  # a link in a checkout may lead to any file of the user: it is replaced, not followed
            write_atomically(path, text, errors=BYTES)
        else:
            with path.open("x", encoding="utf-8", errors=BYTES) as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
