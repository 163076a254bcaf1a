"""The runs that this machine has journals of, and whether a process is working on each. Knows files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..record.fold import fold
from ..record.journal import SkippedRows, read_events
from ..record.lock import RunLock
from ..record.paths import EVENTS_NAME, RunDir
from ..record.state import State
from .blocks import blocks, new_buffer
from .folders import Unreadable, find_files, may_be_folder, why_unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """One run as its folder records it."""

    path: Path
    state: State
    held: bool
    """Whether a process is working on it now."""


def known_runs(roots: Iterable[str], ids: Collection[str], unreadable: Unreadable) -> list[KnownRun]:
    """The runs below these folders whose journals mention one of the ids, which may be of pods or of runs."""
    wanted = [known_id.encode() for known_id in ids if known_id]
    return list(those_with(wanted, journals(roots, unreadable), unreadable))


def those_with(ids: list[bytes], paths: Iterable[Path], unreadable: Unreadable) -> Iterator[KnownRun]:
    """The runs of those journals that contain one of the ids. `unreadable` is called for a journal without a run."""
    for path in paths:
        try:
            if mentions(path, ids):
                yield as_known(path, unreadable)
        except OSError as error:
            unreadable(str(path), why_unreadable(error))


def journals(roots: Iterable[str], unreadable: Unreadable) -> Iterator[Path]:
    """Paths of all journals below these folders. A folder that does not exist has none."""
    for root in roots:
        if may_be_folder(root):
            yield from map(Path, find_files(root, EVENTS_NAME, unreadable))


def mentions(path: Path, ids: list[bytes]) -> bool:
    """Whether the file contains one of the ids anywhere. Raises OSError."""
    buffer = new_buffer()
    return any(buffer.find(known_id, 0, end) >= 0 for end in blocks(str(path), buffer) for known_id in ids)


def as_known(events_path: Path, unreadable: Unreadable) -> KnownRun:
    """The run of this journal. Rows that this version does not know are skipped, and the file is named once.

    Raises OSError.
    """
    run_dir, skipped = RunDir(events_path.parent), SkippedRows()
    state = fold(read_events(events_path, skipped))
    if skipped.count:
        unreadable(str(events_path), str(skipped))
    return KnownRun(path=run_dir.path, state=state, held=is_held(run_dir))


def is_held(run_dir: RunDir) -> bool:
    """Whether a process holds the run's lock; True if that cannot be found out."""
    try:
        return run_dir.lock.exists() and RunLock(run_dir).is_held()
    except OSError:
        return True
