"""manifest-summary: the results of runs, read from their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ..errors import UsageError
from ..history.folders import find_files, may_be_folder, tidy_path
from ..history.layouts import summary_lines, total_lines
from ..history.manifests import Manifest, manifest_path
from ..history.totals import Totals
from ..machine.clock import SystemClock
from ..record.paths import MANIFEST_NAME
from ..spec.strict_json import dumps
from ..terminal.output import info, print_json, print_lines, warn
from .current import current, currents
from .options import json_option, output_options
from .run_names import RunName, or_latest
from .tables import print_labelled


@click.command("manifest-summary")
@click.argument("manifest", metavar="[RUN]", type=RunName(), required=False)
@click.option("--root", type=click.Path(), help="Summarize every manifest below this folder, and print totals.")
@json_option
@output_options
def manifest_summary(manifest: Path | None, root: str | None, as_json: bool) -> None:
    """Print the result of one run (RUN may also be its manifest), or of all runs below --root.

    Without both: of the latest run of this project.
    """
    if manifest is not None and root is not None:
        raise UsageError("give either a RUN or --root DIR", hint="RUN may be a manifest, too")
    if root is not None:
        summarize_all(root, as_json)
    else:
        manifest = or_latest(manifest)
        found = current(manifest, SystemClock().now())
        document = {"path": str(manifest_path(manifest)), **found}
        print_json(document) if as_json else print_labelled(summary_lines(found))


def summarize_all(root: str, as_json: bool) -> None:
    """Every manifest below root is on stdout, then the totals."""
    if not may_be_folder(root):
        raise UsageError(f"{root}: no such folder", hint="name the folder that holds the run dirs")
    totals = Totals()
    paths = find_files(tidy_path(root), MANIFEST_NAME, warn, totals.look)
    found = counted(currents(paths, SystemClock().now()), totals)
    print_lines(json_document(found, totals)) if as_json else print_labelled(blocks(found, totals))
    if not totals.manifests:
        info(f"no manifests below {root}")


def counted(found: Iterator[tuple[str, Manifest | None]], totals: Totals) -> Iterator[tuple[str, Manifest]]:
    """The manifests that could be read; the totals count the others, too."""
    for path, manifest in found:
        totals.add(manifest)
        if manifest is not None:
            yield path, manifest


def blocks(found: Iterator[tuple[str, Manifest]], totals: Totals) -> Iterator[str]:
    """A block for each manifest, then the totals; nothing if there is no manifest."""
    for path, manifest in found:
        yield f"== {path} =="
        yield from summary_lines(manifest)
        yield ""
    if totals.manifests:
        yield "== TOTALS =="
        yield from total_lines(totals)


def json_document(found: Iterator[tuple[str, Manifest]], totals: Totals) -> Iterator[str]:
    """One JSON object with the list of manifests, one on each line, and the totals."""
    yield '{"manifests": ['
    comma = ""
    for path, manifest in found:
        yield comma + dumps({"path": path, **manifest})
        comma = ","
    yield f'], "totals": {dumps(totals.as_json())}}}'
