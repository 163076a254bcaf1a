"""The index of this machine's runs: one line a run in the folder of the user's state, so that names work anywhere.

It only helps to find folders. A run is obeyed for what its folder and `begun_here` say, never for its line here.
Lines are only appended, each with one write, so fifty processes may do so at once. A lost index is made anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from ..config.settings import state_dir
from ..machine.files import PRIVATE
from ..machine.limits import LONGEST_ROW_BYTES
from ..machine.reading import read_lines
from ..spec.strict_json import dumps, loads
from .begun_here import CANNOT_BE_WRITTEN, read_note
from .named import NamedRun, named, read_name
from .paths import PRIVATE_DIR, RunDir

INDEX_NAME = "runs.jsonl"


def note(run_dir: RunDir) -> None:
    """The run is in the index, if that can be written: without its line, it is still found in its project."""
    with suppress(*CANNOT_BE_WRITTEN):
        if place().exists():
            found = read_name(run_dir.path)
            append([found] if found else [])
        else:
            rebuild()


def indexed_runs() -> list[NamedRun]:
    """The runs in the index whose folders exist, oldest first. A lost index is made anew."""
    return sorted((run for run in lines().values() if run.path.is_dir()), key=lambda run: run.begun_at)


def lines() -> dict[Path, NamedRun]:
    """The runs in the index by their folders, which may be gone."""
    with suppress(*CANNOT_BE_WRITTEN):
        if not place().exists():
            rebuild()
        return {run.path: run for run in map(from_line, read_lines(place(), LONGEST_ROW_BYTES)) if run}
    return {}


def rebuild() -> None:
    """The index has a line for each run that is known to have begun here. Raises OSError, RuntimeError."""
    append(run for path in folders_begun_here() if (run := read_name(path)) is not None)


def folders_begun_here() -> Iterator[Path]:
    """The folders of the runs that `begun_here` remembers."""
    known = place().parent / "runs"
    for entry in sorted(known.iterdir()) if known.is_dir() else ():
        with suppress(OSError, ValueError):
            yield read_note(entry)[1]


def append(runs: Iterable[NamedRun]) -> None:
    """The lines are at the end of the index. Each begins on a line of its own, although an earlier one be torn.

    Raises OSError, RuntimeError.
    """
    text = "".join(f"\n{to_line(run)}\n" for run in runs)
    place().parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
    handle = os.open(place(), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, PRIVATE)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def to_line(run: NamedRun) -> str:
    """The run as a line of the index."""
    row = {"path": str(run.path), "run_id": run.run_id, "job": run.job, "begun_at": run.begun_at.isoformat()}
    return dumps(row)


def from_line(line: bytes) -> NamedRun | None:
    """The run of that line; None for a line that is empty, torn or of another kind."""
    with suppress(ValueError, RecursionError):
        row = loads(line)
        if isinstance(row, dict) and isinstance(path := row.get("path"), str):
            return named(Path(path), row.get("run_id"), row.get("job"), row.get("begun_at"))
    return None


def place() -> Path:
    """The file of the index. Raises RuntimeError if the user has no home folder."""
    return state_dir() / INDEX_NAME
