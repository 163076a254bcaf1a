"""`init`: a first config for a project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

import click

from ..config.examples import example_files, example_names
from ..config.project_files import Project, command_of, look_at
from ..config.starter import USUAL_CAP_USD, Wishes, size_text, starter
from ..errors import UsageError
from ..machine.files import real, write_atomically
from ..terminal.output import info, print_lines
from .options import output_options

WISHED_FIELDS = ("run.body", "pod.gpu_order", "budget")
"""What --entry, --gpu and --budget decide, by their places in a config."""
BYTES = "surrogateescape"
"""Files of an example may be binary: so they are text whose bytes come out as they went in."""


@click.command
@click.option("--project-root", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="DIR")
@click.option(
    "--output",
    "-o",
    default="runpod.yaml",
    metavar="NAME",
    help="The file to write, relative to that folder. Default: runpod.yaml.",
)
@click.option("--entry", default="", metavar="FILE", help="The script or notebook to run, or a command.")
@click.option("--gpu", multiple=True, metavar="NAME", help="A GPU to ask for; repeat it, best first.")
@click.option("--budget", type=click.FloatRange(0.01, 10_000), metavar="USD", help="The cost cap. Default: 5.")
@click.option(
    "--from", "example", metavar="EXAMPLE", help="Copy a complete example and its files: --from list shows them."
)
@click.option("--force", is_flag=True, help="Replace the files if they exist.")
@output_options
def init(project_root: Path, output: str, example: str | None, force: bool, **said: Any) -> None:
    """Write a commented config for the project in this folder, without asking anything."""
    path = project_root / output
    if example == "list":
        print_lines(example_names())
    elif example is not None:
        refuse_wishes(example, said)
        write(project_root, copied(example, output), force)
        info(f"example {example}; check it with `runpod-deploy validate --config {path}`")
    else:
        project = look_at(project_root, said["entry"])
        write(project_root, {output: starter(project, wishes(path, project_root, said))}, force)
        for line in [*findings(project), *next_steps(path)]:
            info(line)


def wishes(path: Path, root: Path, said: dict[str, Any]) -> Wishes:
    """What the user has said with flags, and where the project is from the config's folder."""
    above = os.path.relpath(real(root), real(path).parent)
    return Wishes(gpus=said["gpu"], cap_usd=said["budget"] or USUAL_CAP_USD, project_root=above)


def refuse_wishes(example: str, said: dict[str, Any]) -> None:
    """Returns if the user has said nothing about the job. Raises UsageError: an example is copied as it is."""
    flags = [f"--{name}" for name, value in said.items() if value]
    if flags:
        fields = ", ".join(WISHED_FIELDS)
        raise UsageError(
            f"{' and '.join(flags)} cannot be used with --from: an example is copied as it is",
            hint=f"copy it with `runpod-deploy init --from {quote(example)}`, then change {fields} in the file",
        )


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


def findings(project: Project) -> Iterator[str]:
    """What was found in the project, and what is missing, in a line each."""
    what = "notebook" if project.entry.endswith(".ipynb") else "project"
    yield f"found: {KINDS[project.kind]} {what}" + (f" in {project.folder}/" if project.folder else "")
    if command := command_of(project):
        yield f"it runs: {command}"
    else:
        yield "no program was found: write yours into run.body, or use `runpod-deploy init --force --entry FILE`"
    for folder, size in project.data.items():
        yield f"{folder}/ ({size_text(size)}) is ignored by git: staged by its own entry; comment it out to leave it"
    if project.env_file:
        names = ", ".join(project.env_names) or "it sets no variable that can be read, so check it"
        yield f"{project.env_file} is sent as variables of the job, and not uploaded: {names}"
    if project.kind == "conda":
        yield "a rehearsal needs micromamba on this machine, or the internet"


def next_steps(path: Path) -> Iterator[str]:
    """The commands to type next."""
    file = quote(str(path))
    yield f"check it:    runpod-deploy validate --config {file} --all"
    yield f"rehearse it: runpod-sim exec --egress -- runpod-deploy run --config {file}"


KINDS = {"uv": "a uv", "pip": "a pip", "conda": "a conda", "none": "a plain"}
