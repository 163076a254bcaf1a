"""Links of a folder that is transferred: they stay links within it, or what they point to takes their place.

The rules are the same for downloads and uploads. The side that has the folder says where each link ends; what is done
with the answer is decided here. Knows trees and paths; knows no pod and no disk.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...machine.signals import checkpoint
from .excludes import Excludes
from .limits import FOLLOW_STEPS, MAX_ENTRIES, MAX_LINKS, MAX_ROUNDS, PATH_BYTES
from .listing import BadListing, End, is_possible
from .tree import Entry, Tree
from .values import TOOL_FOLDER

WHOLE = re.compile("/|/(bin|boot|home|lib|lib64|media|mnt|opt|root|run|sbin|srv|tmp|usr|var|workspace)")
"""Folders that no result is: a link to one of them is refused, one to something inside is not."""
CLOSED = ("/dev", "/etc", "/proc", "/sys")
"""Folders of the system: no link into them is followed, except into OPEN."""
OPEN = "/dev/shm/"
PRIVATE = (".ssh", TOOL_FOLDER)
"""Names of folders with keys; no link into one of them is followed."""

Ask = Callable[[Iterable[str]], dict[str, End]]
"""Where links end, by their paths; the empty path asks for the folder itself."""
Below = Callable[[Tree], Tree]
"""What is below each of these folders, which are links there."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A tree in which no link leads out."""

    tree: Tree
    replaced: frozenset[str] = frozenset()
    """Paths that are links on the other side, and files or folders here."""
    refused: tuple[str, ...] = ()
    """Links that are not followed: to a device, a folder of the system or of keys, or a folder that contains them."""
    unresolved: tuple[str, ...] = ()
    """Links that end nowhere or go round in circles."""


def follow(tree: Tree, excludes: Excludes, ask: Ask, below: Below, named: str = "") -> Followed:
    """The tree with what its links point to. Raises BadListing beyond a limit, and what `ask` and `below` raise.

    `named` is the tree's folder as it was asked for, which may lead through links.
    """
    links = Links(tree, excludes, named)
    if not (loose := links.loose()):
        return Followed(tree)
    links.roots[""] = end.real if (end := ask([""]).get("")) else ""
    for _ in range(MAX_ROUNDS):
        loose = [path for path in loose if not links.shorten(path)]
        found = below(folders) if (folders := links.settle(loose, ask(loose))) else {}
        links.add(found)
        if not (loose := links.loose()):
            break
    for path in loose:
        links.drop(path, links.refused)
    return Followed(links.tree, frozenset(links.replaced), tuple(links.refused), tuple(links.unresolved))


class Links:
    """The links of a tree while they are followed."""

    def __init__(self, tree: Tree, excludes: Excludes, named: str = "") -> None:
        self.tree, self._excludes, self._named = dict(tree), excludes, named
        self.roots: dict[str, str] = {}
        """Where each folder really is that holds entries: the tree's own, with the empty path, and replaced links."""
        self.replaced: set[str] = set()
        self.refused: dict[str, None] = {}
        self.unresolved: dict[str, None] = {}
        self._settled: set[str] = set()
        self._steps = 0

    def loose(self) -> list[str]:
        """The links of which names alone do not show that they lead to an entry of the tree."""
        links = [path for path, entry in self.tree.items() if entry.kind == "l" and path not in self._settled]
        return [path for path in links if not self.lands(path)]

    def shorten(self, path: str) -> bool:
        """Whether a link lands, once an absolute target in a folder that the link is in has become a relative one."""
        target = self.tree[path].target
        within = self.within(path, target) if target.startswith("/") else None
        if within is not None:
            self.tree[path] = Entry("l", target=within)
        return self.lands(path)

    def lands(self, path: str) -> bool:
        """Whether a link leads to an entry of the tree, through links that do so as well."""
        checkpoint()  # a pod may list a million links
        goal = self.goal(path)
        for _ in range(MAX_LINKS):
            if goal is None:
                return False
            if not goal or (goal in self.tree and self.tree[goal].kind != "l"):
                return True
            self.count(goal.count("/") + 1)
            link = self.first_link(goal)
            onward = self.goal(link) if link else None
            goal = None if onward is None else posixpath.join(onward, goal[len(link) + 1 :]).rstrip("/")
        return False

    def count(self, names: int) -> None:
        """So many names are looked up. Raises BadListing if they are too many: a pod may list chains of links."""
        self._steps += names
        if self._steps > FOLLOW_STEPS:
            raise BadListing("its links lead through too many names")

    def goal(self, path: str) -> str | None:
        """The path that a link names. None if it leaves its folder, or could: by `..` behind a name."""
        target, at = self.tree[path].target, path.split("/")[:-1]
        names = [name for name in target.split("/") if name not in ("", ".")]
        climbs = next((number for number, name in enumerate(names) if name != ".."), len(names))
        root = self.roots_above(path)[0]
        room = len(at) - (root.count("/") + 1 if root else 0)
        if not target or target.startswith("/") or ".." in names[climbs:] or climbs > room:
            return None
        return "/".join([*at[: len(at) - climbs], *names[climbs:]])

    def first_link(self, path: str) -> str:
        """The first link that a path leads through; empty if there is none."""
        return next((part for part in parts(path) if part in self.tree and self.tree[part].kind == "l"), "")

    def roots_above(self, path: str) -> list[str]:
        """The replaced links that a path lies below, the innermost first, and the tree's own folder."""
        return [part for part in parts(path)[-2::-1] if part in self.roots] + [""]

    def settle(self, loose: list[str], ends: dict[str, End]) -> Tree:
        """Every loose link is settled. The folders among what takes their place, which are empty so far."""
        by_links = {path for path in loose if self.first_link(self.goal(path) or "")}
        folders: Tree = {}
        for path in sorted(loose, key=lambda path: path in by_links):
            # A link to a link that was replaced meanwhile stays as it is.
            if path not in by_links or not self.lands(path):
                self.settle_one(path, ends.get(path), folders)
        return folders

    def settle_one(self, path: str, end: End | None, folders: Tree) -> None:
        """The link has become a link within the tree, a file or a folder, or is dropped."""
        if end is None or end.kind == "x":
            self.drop(path, self.unresolved)
        elif end.kind not in ("f", "d") or not 0 < len(end.real) <= PATH_BYTES:
            self.drop(path, self.refused)
        elif (within := self.within(path, end.real)) is not None:
            self.tree[path] = Entry("l", target=within)
            self._settled.add(path)
        elif self.is_closed(path, end):
            self.drop(path, self.refused)
        elif end.kind == "d" and self._excludes and self._excludes.leave_out(path, True):
            del self.tree[path]
        else:
            self.put(path, end, folders)

    def put(self, path: str, end: End, folders: Tree) -> None:
        """What the link points to is in its place."""
        self.tree[path] = end.entry
        self.replaced.add(path)
        if end.kind == "d":
            self.roots[path] = end.real
            folders[path] = end.entry

    def within(self, path: str, real: str) -> str | None:
        """The target of a relative link to a real path in one of the folders that the link is in; None if in none."""
        tops = [(root, self.roots[root]) for root in self.roots_above(path)] + [("", self._named)]
        for root, top in tops:
            rest = real[len(top) :].strip("/") if real == top or real.startswith(top.rstrip("/") + "/") else None
            if top and rest is not None and (not rest or is_possible(rest)):
                goal = posixpath.join(root, rest).rstrip("/")
                return posixpath.relpath(f"/{goal}", f"/{posixpath.dirname(path)}")
        return None

    def is_closed(self, path: str, end: End) -> bool:
        """Whether what a link points to may not take its place."""
        real, names = end.real, end.real.split("/")
        if not real.startswith("/") or ".." in names or WHOLE.fullmatch(real) or any(name in PRIVATE for name in names):
            return True
        if any(f"{real}/".startswith(f"{top}/") for top in CLOSED) and not real.startswith(OPEN):
            return True
        return any(self.roots[root].startswith(f"{real}/") for root in self.roots_above(path))

    def drop(self, path: str, why: dict[str, None]) -> None:
        """The link is not in the tree, and is named."""
        del self.tree[path]
        why[path] = None

    def add(self, found: Tree) -> None:
        """The entries are in the tree. Raises BadListing if they are too many."""
        if len(self.tree) + len(found) > MAX_ENTRIES:
            raise BadListing(f"more than {MAX_ENTRIES} entries with what its links point to")
        self.tree |= found


def parts(path: str) -> list[str]:
    """The paths of the folders that a path leads through, and the path itself."""
    names = path.split("/")
    return ["/".join(names[:number]) for number in range(1, len(names) + 1)]
