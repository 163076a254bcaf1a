"""What a person says about a run: tags and a note. Knows one file of the run folder; knows no event.

`run --tag --note` puts them into the spec. What is said later is in `notes.json`, not in the journal, because only the
process that carries the run out writes there, and a note must also be possible meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import NOTE_BYTES
from ..machine.reading import read_limited
from ..spec import Spec
from ..spec.plain import from_plain, to_plain
from ..spec.strict_json import dumps, loads
from .paths import RunDir


@dataclass(frozen=True, slots=True)
class Notes:
    """The tags and the note of a run."""

    tags: dict[str, str] = field(default_factory=dict)
    note: str = ""


def notes_of(spec: Spec, run_dir: RunDir) -> Notes:
    """What was said last: with `note`, or else when the run began. A file that cannot be read counts as none."""
    return read_notes(run_dir) or Notes(spec.tags, spec.note)


def read_notes(run_dir: RunDir) -> Notes | None:
    """What was said with `note`; None if nothing was."""
    try:
        return from_plain(Notes, loads(read_limited(run_dir.notes, NOTE_BYTES)))
    except (OSError, ValueError):
        return None


def write_notes(run_dir: RunDir, notes: Notes) -> None:
    """The notes are on disk. Raises OSError."""
    write_atomically(run_dir.notes, dumps(to_plain(notes), indent=2) + "\n", mode=PRIVATE)


def changed(notes: Notes, tags: Mapping[str, str], note: str | None) -> Notes:
    """The notes with other tags, where an empty value removes the tag, and with another note unless it is None."""
    merged = {**notes.tags, **tags}
    kept = {name: value for name, value in merged.items() if value or name not in tags}
    return Notes(kept, notes.note if note is None else note)
