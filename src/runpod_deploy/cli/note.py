"""`note`: what a person says about a run after it has begun."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import RunBusy, UsageError
from ..history.runs import read_run, rebuild_manifest
from ..machine.clock import SystemClock
from ..record.lock import RunLock
from ..record.notes import Notes, changed, notes_of, write_notes
from ..record.paths import RunDir, refuse_links
from ..terminal.output import print_json, print_lines, warn
from .options import json_option, output_options
from .run_names import run_argument
from .tagging import checked_text, lines, parse_tags, tag_option


@click.command
@run_argument
@click.argument("text", required=False)
@tag_option
@json_option
@output_options
def note(run_dir: Path, text: str | None, tag: tuple[str, ...], as_json: bool) -> None:
    """Write a note and tags to a run, whether or not it has ended. TEXT replaces the note; an empty TEXT removes it.

    `--tag KEY=` removes a tag. Without TEXT and --tag, print both. `ls-runs --filter tag=KEY` finds runs by their tags.
    """
    folder = RunDir(run_dir.absolute())
    run = read_run(folder.path, warn)
    notes = notes_of(run.spec, folder)
    tags = parse_tags(tag)
    if text is not None or tags:
        notes = changed(notes, tags, None if text is None else checked_text("TEXT", text))
        save(folder, notes)
    print_json({"tags": notes.tags, "note": notes.note}) if as_json else print_lines(lines(notes.tags, notes.note))


def save(folder: RunDir, notes: Notes) -> None:
    """The notes are on disk, and in the manifest, unless another process writes that. Raises UsageError."""
    refuse_links(folder)
    try:
        write_notes(folder, notes)
        with RunLock(folder).held(wait_s=0):
            rebuild_manifest(read_run(folder.path, warn), SystemClock().now())
    except RunBusy:
        return  # that process writes the manifest at the end of each phase
    except OSError as error:
        raise UsageError(f"{folder.path}: cannot be written: {error.strerror}") from error
