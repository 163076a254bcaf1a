"""Folders as values: the entries of a local folder, and comparisons. Knows no pod."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...machine.signals import checkpoint
from .excludes import Excludes


class Entry(NamedTuple):
    """One file, folder or symbolic link."""

    kind: str
    """f, d or l."""
    mode: int = 0
    size: int = 0
    mtime: int = 0
    target: str = ""

    def same_as(self, other: Entry | None) -> bool:
        """Whether nothing needs to be sent, by rsync's quick check (size and time) and by mode."""
        if other is None or self.kind != other.kind:
            return False
        if self.kind == "l":
            return self.target == other.target
        if self.kind == "d":
            return self.mode == other.mode
        return (self.size, self.mtime, self.mode) == (other.size, other.mtime, other.mode)


Tree = dict[str, Entry]
"""Entries by path below the folder, parents before children."""


def local_tree(root: Path, excludes: Excludes, *, below: str = "") -> Tree:
    """The entries of a local folder; none if it does not exist. Sockets, pipes and devices are left out.

    With `below`, which ends with a slash, only those in that folder of it, which may be a link.
    """
    return _walked(str(root), excludes, below) if root.is_dir() else {}


def local_entry(path: str | Path) -> Entry | None:
    """One local entry; None if there is no file, folder or link."""
    return entry_of(path, None)


def target_of(path: Path) -> Entry | None:
    """The local file or folder that a link leads to; None if it leads to nothing of that kind."""
    try:
        found = path.stat()
    except (OSError, RuntimeError):
        return None
    return _entry(found)


def entry_of(name: str | Path, folder: int | None) -> Entry | None:
    """One local entry, by its name in an open folder; None if there is no file, folder or link."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            return Entry("l", target=os.readlink(name, dir_fd=folder))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _entry(found)


def _entry(found: os.stat_result) -> Entry | None:
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return Entry("d", mode)
    return Entry("f", mode, found.st_size, found.st_mtime_ns // 10**9) if stat.S_ISREG(found.st_mode) else None


def total_size(tree: Tree) -> int:
    """Size of all files together."""
    return sum(entry.size for entry in tree.values())


def files_of(tree: Tree) -> Tree:
    """The files among the entries."""
    return {path: entry for path, entry in tree.items() if entry.kind == "f"}


def count_files(tree: Tree) -> int:
    """Number of files among the entries."""
    return sum(entry.kind == "f" for entry in tree.values())


def _walked(root: str, excludes: Excludes, start: str) -> Tree:
    tree: Tree = {}
    ahead = [start]
    while ahead:
        checkpoint()  # a network file system takes its time for a million files
        below = ahead.pop()
        for name, entry in _inside(f"{root}/{below}"):
            path = below + name
            if excludes and excludes.leave_out(path, entry.kind == "d"):
                continue
            tree[path] = entry
            if entry.kind == "d":
                ahead.append(f"{path}/")
    return tree


def _inside(folder: str) -> Iterator[tuple[str, Entry]]:
    """Names and entries of one folder, without those that vanish meanwhile."""
    try:
        found = os.scandir(folder)
    except FileNotFoundError:
        return
    with found:
        for child in found:
            if (entry := local_entry(child.path)) is not None:
                yield child.name, entry
