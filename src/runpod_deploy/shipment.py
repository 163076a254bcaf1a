"""What staging would ship, without shipping it: files, bytes, the largest. Knows folders; knows no pod."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .journal import RUNS_DIR
from .local import git_ignored
from .patterns import Excludes
from .spec import RsyncPushSpec

LARGEST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """One file that would go up."""

    path: Path
    """Absolute."""
    name: str
    """Relative to the entry's source."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """All that one staging entry would put on the pod, as far as it is new there."""

    label: str
    destination: str
    files: tuple[ShippedFile, ...]

    @property
    def size_bytes(self) -> int:
        """The files' size altogether."""
        return sum(file.size_bytes for file in self.files)

    @property
    def largest(self) -> list[ShippedFile]:
        """The ten largest files, the largest first."""
        return heapq.nlargest(LARGEST_SHOWN, self.files, key=lambda file: file.size_bytes)


def survey(entry: RsyncPushSpec, project_root: Path) -> Shipment:
    """What an entry would ship from here; empty if its source does not exist."""
    source = project_root / Path(entry.source).expanduser()
    files: tuple[ShippedFile, ...] = ()
    if source.is_file():
        files = (ShippedFile(source, source.name, source.stat().st_size),)
    elif source.is_dir():
        files = tuple(_files_of(entry, source, project_root))
    return Shipment(label=entry.label, destination=entry.destination, files=files)


def _files_of(entry: RsyncPushSpec, source: Path, project_root: Path) -> Iterator[ShippedFile]:
    """The files below a folder that the entry does not leave out."""
    excludes = Excludes(entry.effective_excludes)
    # Without a trailing slash, the folder's own name is the first part of the paths that rsync matches.
    contents = entry.source.endswith("/") or entry.source in (".", "..")
    prefix = "" if contents else f"{source.name}/"
    ignored = set(git_ignored(source)) if entry.respect_gitignore else set()
    ignored.update(own_results(project_root, source))
    return walk(source, "", prefix, excludes, ignored)


def walk(folder: Path, below: str, prefix: str, excludes: Excludes, ignored: set[str]) -> Iterator[ShippedFile]:
    """The files below a folder, in the order of their names; links are named and not followed."""
    for item in _items(folder):
        name = f"{below}{item.name}"
        is_folder = item.is_dir(follow_symlinks=False)
        if name in ignored or excludes.leave_out(prefix + name, is_folder=is_folder):
            continue
        if is_folder:
            yield from walk(Path(item.path), f"{name}/", prefix, excludes, ignored)
        else:
            yield ShippedFile(Path(item.path), name, item.stat(follow_symlinks=False).st_size)


def _items(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing if it may not be read."""
    try:
        with os.scandir(folder) as items:
            return sorted(items, key=lambda item: item.name)
    except OSError:
        return []


def own_results(project_root: Path, source: Path) -> tuple[str, ...]:
    """Where our run folders lie below the source, if they do."""
    runs = (project_root / RUNS_DIR).resolve()
    try:
        return (runs.relative_to(source.resolve()).as_posix(),)
    except ValueError:
        return ()
