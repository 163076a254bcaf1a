"""The runs that this machine knows: their journals, and whether a process carries them out now. Knows files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..record.events import from_row
from ..record.fold import fold
from ..record.journal import rows
from ..record.paths import RunDir
from ..record.state import State
from .blocks import read_whole
from .folders import EVENTS_NAME, Unreadable, find_files, may_be_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """One run as its folder tells it."""

    path: Path
    state: State
    held: bool
    """Whether a process carries it out now."""


def known_runs(roots: Iterable[str], words: Collection[str], unreadable: Unreadable) -> list[KnownRun]:
    """The runs below these folders whose journals hold one of the words: ids of pods or of runs."""
    wanted = [word.encode() for word in words if word]
    return [as_known(path) for path in journals(roots, unreadable) if mentions(path, wanted)]


def journals(roots: Iterable[str], unreadable: Unreadable) -> Iterator[Path]:
    """Paths of all journals below these folders; a folder that is not there has none."""
    for root in roots:
        if may_be_folder(root):
            yield from map(Path, find_files(root, EVENTS_NAME, unreadable))


def mentions(path: Path, wanted: list[bytes]) -> bool:
    """Whether the file holds one of the words anywhere."""
    try:
        content = read_whole(str(path))
    except OSError:
        return False
    return any(word in content for word in wanted)


def as_known(events_path: Path) -> KnownRun:
    """The run of this journal, which is only read: its writer may be in the middle of a line."""
    run_dir = RunDir(events_path.parent)
    events = (event for row in rows(events_path) if (event := from_row(row)) is not None)
    return KnownRun(path=run_dir.path, state=fold(events), held=is_held(run_dir))


def is_held(run_dir: RunDir) -> bool:
    """Whether a process holds the run's lock: the kernel knows, whatever became of it otherwise."""
    if not run_dir.lock.exists():
        return False
    try:
        with FileLock(str(run_dir.lock), timeout=0):
            return False
    except (Timeout, OSError):
        return True
