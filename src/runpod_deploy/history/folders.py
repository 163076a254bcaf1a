"""Run dirs and their files, found on disk. Knows names of files and folders; knows nothing of their content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from pathlib import Path

from ..record.paths import MANIFEST_NAME, RUNS_DIR, began_at

AGES = ((86400, "d"), (3600, "h"), (60, "min"))

Unreadable = Callable[[str, str], None]
"""A function that receives the path of what cannot be read, and the reason. Reading goes on after it."""

FolderSeen = Callable[[Sequence[str]], None]
"""A function that receives the names in each folder."""


def find_files(root: str, name: str, unreadable: Unreadable, look: FolderSeen | None = None) -> Iterator[str]:
    """Paths of all files with that name below root, in path order. Links to folders are not followed."""
    ahead = backwards(root, unreadable, look)  # no recursion: a checkout may have thousands of folders in each other
    while ahead:
        entry = ahead.pop()
        path = entry.path.removeprefix("./") if root == "." else entry.path
        if entry.is_dir(follow_symlinks=False):
            ahead += backwards(path, unreadable, look)
        elif entry.name == name:
            yield path


def backwards(folder: str, unreadable: Unreadable, look: FolderSeen | None) -> list[os.DirEntry[str]]:
    """The folder's entries, the last one first, after `look` got their names."""
    entries = entries_of(folder, unreadable)
    if look:
        look([entry.name for entry in entries])
    return entries[::-1]


def entries_of(folder: str, unreadable: Unreadable) -> list[os.DirEntry[str]]:
    """The folder's entries, sorted by name; none if it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=attrgetter("name"))
    except OSError as error:
        unreadable(folder, why_unreadable(error))
        return []


def run_dirs(project_root: Path, unreadable: Unreadable) -> list[Path]:
    """All run dirs of a project, oldest first, with or without a manifest."""
    runs = str(project_root / RUNS_DIR)
    return [Path(entry) for entry in entries_of(runs, unreadable) if is_folder(entry)] if may_be_folder(runs) else []


def may_be_folder(path: str) -> bool:
    """Whether there is such a folder. True if that cannot be found out: listing it will then name the reason."""
    try:
        return Path(path).is_dir()
    except OSError:
        return True


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def walk_run_dirs(project_root: Path | str, unreadable: Unreadable) -> list[Path]:
    """The run dirs of a project that hold a manifest, oldest first."""
    return [path for path in run_dirs(Path(project_root), unreadable) if holds(path, MANIFEST_NAME, unreadable)]


def holds(run_dir: Path, name: str, unreadable: Unreadable) -> bool:
    """Whether the folder contains a file with that name. `unreadable` is called if that cannot be found out."""
    try:
        return (run_dir / name).is_file()
    except OSError as error:
        unreadable(str(run_dir), why_unreadable(error))
        return False


def tidy_path(root: str) -> str:
    """The path without a leading `./` and without a trailing slash."""
    return str(Path(root))


def why_unreadable(error: Exception) -> str:
    """The reason why something could not be read, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "there is none"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not JSON" if isinstance(error, ValueError) else str(error)


def ago(name: str, now: datetime) -> str:
    """The age of a run, from the name of its run dir; empty if the name has no time stamp."""
    since = began_at(name)
    if since is None:
        return ""
    seconds = int((now - since).total_seconds())
    for size, unit in AGES:
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "now"
