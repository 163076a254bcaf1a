"""What lies below a folder, here and on the pod, in one form. Knows stat and find; moves nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import StagingFailed
from .patterns import Excludes
from .shell import quoted_path
from .ssh import Connection

Kind = Literal["file", "folder", "link", "other"]
Reach = Literal["file", "folder", "nothing"]
LISTING_TIMEOUT_S = 600.0
LISTING_TRIES = 3
# Names end with NUL and figures with a newline, a batch at a time: any name survives, and no process is started a
# file. `stat -c` is the one spelling that GNU and busybox share.
FIND = r"""find . -exec sh -c 'printf "%s\n" "$#"; printf "%s\0" "$@"; stat -c "%f %s %Y" -- "$@"' sh {} +"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or symbolic link."""

    kind: Kind
    size: int
    mtime: int
    """Whole seconds: all that every way of moving files keeps."""
    mode: int
    """Permission bits."""

    def same(self, other: Entry | None) -> bool:
        """Whether the other is most likely the same, as rsync judges it. Links are never taken on trust."""
        if other is None or self.kind != other.kind or self.kind == "link":
            return False
        if self.kind == "folder":
            return True
        return (self.size, self.mtime, self.mode) == (other.size, other.mtime, other.mode)


Tree = dict[str, Entry]
"""Entries by path relative to the root, folders before what is in them."""


def local_tree(root: Path) -> Tree:
    """What lies below a local folder; nothing if there is no such folder. Raises OSError."""
    tree: Tree = {}
    pending = [""]
    while pending:
        below = pending.pop()
        for item in sorted(os.scandir(root / below), key=lambda item: item.name) if (root / below).is_dir() else ():
            name = f"{below}{item.name}"
            tree[name] = entry(item.stat(follow_symlinks=False))
            if tree[name].kind == "folder":
                pending.append(f"{name}/")
    return tree


def entry(facts: os.stat_result) -> Entry:
    """The entry of what stat says."""
    return Entry(kind_of(facts.st_mode), facts.st_size, int(facts.st_mtime), stat.S_IMODE(facts.st_mode))


def kind_of(mode: int) -> Kind:
    """The kind of a raw mode."""
    kinds: tuple[tuple[Callable[[int], bool], Kind], ...] = (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "folder"),
        (stat.S_ISLNK, "link"),
    )
    return next((kind for test, kind in kinds if test(mode)), "other")


def remote_tree(connection: Connection, root: str) -> Tree:
    """What lies below a folder on the pod; nothing if there is no such folder. Raises SshLost, StagingFailed.

    Files that come and go while we look can garble one listing, not three.
    """
    command = f"cd -- {quoted_path(root)} 2>/dev/null || exit 0; {FIND} 2>/dev/null"
    for _ in range(LISTING_TRIES):
        said = bytearray()
        connection.run(command, timeout_s=LISTING_TIMEOUT_S, on_output=said.extend)
        try:
            return parse_listing(bytes(said))
        except ValueError:
            continue
    raise StagingFailed(f"the pod's folder {root} changes too fast to be listed")


def parse_listing(data: bytes) -> Tree:
    """The tree of a listing. Raises ValueError if names and figures do not match."""
    tree: Tree = {}
    while data:
        count, _, data = data.partition(b"\n")
        *names, data = data.split(b"\0", int(count))
        *figures, data = data.split(b"\n", int(count))
        for name, figure in zip(names, figures, strict=True):
            mode, size, mtime = figure.split()
            path = os.fsdecode(name).removeprefix("./")
            raw = int(mode, 16)
            if path != ".":
                tree[path] = Entry(kind_of(raw), int(size), int(mtime), stat.S_IMODE(raw))
    return dict(sorted(tree.items()))


def kept(tree: Tree, excludes: Excludes, prefix: str, ignored: frozenset[str] = frozenset()) -> Tree:
    """The tree without what the patterns leave out, and without what lies below that. Other kinds never count."""
    out: list[str] = []
    rest: Tree = {}
    for path, one in sorted(tree.items(), key=lambda item: item[0].split("/")):
        if out and path.startswith(out[-1]):
            continue
        is_folder = one.kind == "folder"
        if path in ignored or excludes.leave_out(prefix + path, is_folder=is_folder):
            out.append(f"{path}/")
        elif one.kind != "other":
            rest[path] = one
    return rest


def reach(connection: Connection, path: str) -> tuple[Reach, bool]:
    """What is at a path on the pod, and whether rsync is there. Raises SshLost."""
    word = quoted_path(path)
    asked = connection.run(
        f"if [ -d {word} ]; then echo folder; elif [ -e {word} ]; then echo file; else echo nothing; fi; "
        "command -v rsync >/dev/null && echo rsync",
        timeout_s=LISTING_TIMEOUT_S,
    )
    words = asked.stdout.decode().split()
    kind: Reach = "folder" if "folder" in words else "file" if "file" in words else "nothing"
    return kind, "rsync" in words
