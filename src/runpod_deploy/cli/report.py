"""report: one or many runs as one HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ..errors import UsageError
from ..history.details import read_details
from ..history.facts import Facts, run_facts
from ..history.folders import find_files, may_be_folder, tidy_path
from ..history.matrix import best_of
from ..history.report.page import page
from ..history.totals import Totals
from ..machine.clock import SystemClock
from ..machine.files import write_atomically
from ..record.paths import EVENTS_NAME, MANIFEST_NAME, SPEC_NAME
from ..terminal.output import print_json, print_lines, warn
from .current import currents
from .options import json_option, output_options
from .run_names import optional_run_argument, or_latest

PAGE_NAME = "report.html"


@click.command
@optional_run_argument
@click.option("--root", type=click.Path(path_type=Path), help="Show all runs below this folder instead of one.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help=f"The file to write. [default: {PAGE_NAME} in that folder]"
)
@click.option("--best", metavar="METRIC", help="With --root: mark the best value, such as accuracy or loss:min.")
@json_option
@output_options
def report(run_dir: Path | None, root: Path | None, output: Path | None, best: str | None, as_json: bool) -> None:
    """Write one run, or all runs below --root, as one HTML page without other files. Prints the page's path.

    Without RUN and --root: the latest run of this project. The table of many runs sorts by a click on a heading.

    Example: runpod-deploy report --root artifacts/runpod --best accuracy
    """
    if run_dir is not None and root is not None:
        raise UsageError("give either a RUN or --root DIR")
    folder = root or or_latest(run_dir)
    if not may_be_folder(str(folder)):
        raise UsageError(
            f"{folder}: no such folder", hint="give a run dir, or with --root a folder that holds run dirs"
        )
    target = output or folder / PAGE_NAME
    write(target, pieces(folder, best, one=root is None), named=output is not None)
    print_json({"path": str(target.absolute())}) if as_json else print_lines([str(target)])


def pieces(folder: Path, best: str | None, *, one: bool) -> Iterator[str]:
    """The page in pieces: manifests are read once for the totals, and again one by one."""
    totals, now, facts = Totals(), SystemClock().now(), list[Facts]()
    below = find_files(tidy_path(str(folder)), MANIFEST_NAME, warn, totals.look)
    paths = [str(folder / MANIFEST_NAME)] if one else list(below)
    for path, manifest in currents(paths, now):
        totals.add(manifest)
        facts += [run_facts(Path(path).absolute().parent, manifest)] if manifest is not None else []
    paths = paths if one else sorted({*paths, *missing(folder)})
    details = (read_details(Path(path).parent, found, warn) for path, found in currents(paths, now, unreported))
    mark = best_of(best, facts) if best else None
    return page(str(folder.absolute().name), details, totals, now, facts, mark)


def missing(folder: Path) -> set[str]:
    """The paths at which runs below the folder would have a manifest, if they have another record of ours."""
    records = (find_files(tidy_path(str(folder)), name, unreported) for name in (EVENTS_NAME, SPEC_NAME))
    return {str(Path(path).parent / MANIFEST_NAME) for found in records for path in found}


def unreported(_path: str, _reason: str) -> None:
    """The first reading has already reported the manifests that cannot be read."""


def write(target: Path, text: Iterator[str], *, named: bool) -> None:
    """The page is in the file. Raises UsageError.

    Only a file that the user named may be a link or a pipe: somebody else may have made the folder.
    """
    try:
        if not named:
            write_atomically(target, text, errors="backslashreplace")
            return
        with target.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(text)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror}", hint="name another file with -o") from error
