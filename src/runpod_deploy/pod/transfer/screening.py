"""Screens a listing: which of a pod's entries may be created here, and which are refused. Knows no connection.

An entry is refused if it is, or replaces, a protected place, if its name is reserved, or if it is a link that leads out
of the artifact. Names are compared as the least exact file system does, which ignores case and how accents are encoded.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ...errors import ArtifactMissing
from ...machine.signals import checkpoint
from .limits import FILE_BYTES, MAX_DEPTH, MAX_LINKS, MAX_STEPS, NEWEST_MTIME, OLDEST_MTIME, shown
from .listing import RemoteListing
from .tree import Entry, Tree
from .values import Pull

RESERVED = ".runpod-deploy-incoming-"
"""How the names of our temporary folders begin."""
GIT_NAMES = (".git", "git~1")
"""A repository's own folder, which holds commands that git runs; the second is its short name on Windows disks."""
IGNORED = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF])
"""Characters that HFS+ ignores in names."""
MODE_BITS = 0o777
"""No setuid, setgid and sticky bits."""
OTHERS_WRITE = 0o022
"""What a pod calls writable for all is not writable for the neighbours on this machine."""

Look = Callable[[str], Entry | None]


def folded(name: str) -> str:
    """The name or path for comparisons: equal for all spellings that some file system takes for the same name."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name.translate(IGNORED)).casefold())


def is_reserved(name: str) -> bool:
    """Whether no artifact may have an entry of this name."""
    plain = folded(name)
    return plain in GIT_NAMES or plain.startswith(RESERVED)


class Screen:
    """The rules for one artifact, whose place is known."""

    def __init__(self, place: Path, asked: Pull) -> None:
        """`place` has no links in it. Raises ArtifactMissing if no artifact may be there."""
        reserved = next((part for part in place.parts if is_reserved(part)), None)
        if reserved:
            raise ArtifactMissing(f"no artifact may be written into {reserved}: change its local_path, {place}")
        self._steps = 0
        self._closed = set(below(place, asked.protected))
        if "" in self._closed:
            raise ArtifactMissing(f"{place} belongs to this tool or is the config: change the artifact's local_path")
        self._on_the_way = {parent for path in self._closed for parent in parents(path)}
        others = set(below(place, asked.other_artifacts)) - {""}
        self._others = others
        self._no_links = self._on_the_way | others | {parent for path in others for parent in parents(path)}

    def is_closed(self, path: str) -> bool:
        """Whether nothing may be created or deleted there. Its parents are taken to be open."""
        return is_reserved(path.rpartition("/")[2]) or (bool(self._closed) and folded(path) in self._closed)

    def passed(self, there: RemoteListing, local: Look) -> tuple[RemoteListing, tuple[str, ...]]:
        """The listing without refused entries, and those; of a refused folder, the folder alone.

        `local` looks at what is in the place, and follows no link.
        """
        tree: Tree = {}
        refused: dict[str, None] = {}
        dropped: set[str] = set()
        for path, entry in there.tree.items():
            if path.rpartition("/")[0] in dropped:
                dropped.add(path)
            elif self._refuses(path, entry):
                dropped.add(path)
                refused[path] = None
            else:
                tree[path] = clean(entry)
        for path in [path for path, entry in tree.items() if entry.kind == "l"]:
            if not self._stays_inside(path, tree, local):
                refused[path] = None
        kept = {path: entry for path, entry in tree.items() if path not in refused} if refused else tree
        return replace(there, tree=kept), tuple(refused)

    def open_entries(self, here: Tree) -> Tree:
        """The local entries that a deletion may reach: none of another artifact's."""
        closed: set[str] = set()
        for path in here:
            if path.rpartition("/")[0] in closed or self.is_closed(path) or folded(path) in self._others:
                closed.add(path)
        return {path: entry for path, entry in here.items() if path not in closed}

    def _refuses(self, path: str, entry: Entry) -> bool:
        if self.is_closed(path) or not 0 <= entry.size <= FILE_BYTES:
            return True
        no_place = self._on_the_way if entry.kind == "f" else self._no_links
        return bool(no_place) and entry.kind != "d" and folded(path) in no_place

    def _count(self) -> None:
        """One name was looked up. Raises ArtifactMissing if that was the last one."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ArtifactMissing("its links lead through too many names")

    def _stays_inside(self, path: str, tree: Tree, local: Look) -> bool:
        """Whether a link leads to an open place of the artifact, whatever becomes of the entries it leads through."""
        target = tree[path].target
        names = [name for name in target.split("/") if name != "."]
        climbs = next((number for number, name in enumerate(names) if name != ".."), len(names))
        # A link that climbs only at its beginning stays inside even if a folder behind that becomes a link as well.
        if target.startswith("/") or not target or ".." in names[climbs:]:
            return False
        checkpoint()
        end = resolved(path, tree, local, self._count)
        return end is not None and not any(self.is_closed(part) for part in (*parents(end), end) if part)


def resolved(path: str, tree: Tree, local: Look, count: Callable[[], None]) -> str | None:
    """Where in the artifact a link ends, through links of the listing; None if it leads out, too deep or in circles."""
    at: list[str] = []
    ahead = path.split("/")[::-1]
    links = 0
    while ahead:
        count()
        name = ahead.pop()
        if (name == ".." and not at) or max(len(at), len(ahead)) > MAX_DEPTH:
            return None
        if name in ("", ".", ".."):
            del at[len(at) - (name == "..") :]
            continue
        here = "/".join([*at, name])
        entry = tree.get(here)
        links += entry is not None and entry.kind == "l"
        if links > MAX_LINKS or (entry is None and is_link(local(here))):
            return None  # a link of the user's own may lead anywhere
        if entry is None or entry.kind != "l":
            at.append(name)
        elif entry.target.startswith("/"):
            return None
        else:
            ahead += entry.target.split("/")[::-1]
    return "/".join(at)


def is_link(entry: Entry | None) -> bool:
    """Whether there is a link."""
    return entry is not None and entry.kind == "l"


def clean(entry: Entry) -> Entry:
    """The entry with a mode and a time that it may have here."""
    mtime = min(max(entry.mtime, OLDEST_MTIME), NEWEST_MTIME)
    made = Entry(entry.kind, entry.mode & MODE_BITS & ~OTHERS_WRITE, entry.size, mtime, entry.target)
    return entry if made == entry else made


def below(place: Path, paths: Iterable[Path]) -> Iterable[str]:
    """The paths relative to the place, folded, as far as they are below it; empty for one that it is or lies in."""
    top = folded(str(place)).rstrip("/")
    for other in map(folded, (name for path in paths for name in real_names(path))):
        if other.startswith(top + "/"):
            yield other[len(top) + 1 :]
        elif top == other or top.startswith(other.rstrip("/") + "/"):
            yield ""


def real_names(path: Path) -> set[str]:
    """Where a path really is; if it is a link, that of the link and that of its end."""
    return {os.path.realpath(path), os.path.join(os.path.realpath(path.parent), path.name)}  # noqa: PTH118


def parents(path: str) -> list[str]:
    """The folders that a path leads through."""
    names = path.split("/")[:-1]
    return ["/".join(names[: number + 1]) for number in range(len(names))]


def first_names(paths: tuple[str, ...]) -> str:
    """The first of these entries by name, and how many more there are."""
    first = ", ".join(shown(path) for path in paths[:3])
    return first if len(paths) <= 3 else f"{first} and {len(paths) - 3} more"
