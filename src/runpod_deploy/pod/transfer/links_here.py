"""Links in a local folder that is uploaded. Knows the local disk; the rules are those of `following`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ...spec.job import RUNS_DIR
from .excludes import Excludes
from .following import Links, follow
from .limits import MAX_ENTRIES
from .listing import BadListing, End
from .tree import Entry, Tree, local_tree, target_of


def leading_out(source: Path, tree: Tree) -> tuple[str, ...]:
    """The links that lead out of the source, or name a path of this machine; each with its target."""
    links = Links(tree, Excludes(()))
    out = [path for path, entry in tree.items() if entry.kind == "l" and links.goal(path) is None]
    real = f"{os.path.realpath(source)}/"
    named = (p for p in out if tree[p].target.startswith("/") or not f"{end_of(source, p).real}/".startswith(real))
    return tuple(f"{path} -> {tree[path].target}" for path in named)


def with_links(source: Path, tree: Tree, excludes: Excludes) -> tuple[Tree, tuple[str, ...]]:
    """The entries with what their links point to, and the links that could not be followed, which stay links.

    Raises BadListing beyond a limit, and OSError where a folder cannot be read.
    """

    def ask(paths: Iterable[str]) -> dict[str, End]:
        return {path: end_of(source, path) for path in paths}

    def below(folders: Tree) -> Tree:
        found: Tree = {}
        for path in folders:
            found |= without_runs(local_tree(source, excludes, below=f"{path}/"))
            if len(found) > MAX_ENTRIES:
                raise BadListing(f"more than {MAX_ENTRIES} entries behind links")
        return found

    found = follow(tree, excludes, ask, below)
    left = {path: entry_at(source, path) for path in (*found.refused, *found.unresolved)}
    return {**found.tree, **left}, tuple(f"{path} -> {entry.target}" for path, entry in left.items())


def end_of(source: Path, path: str) -> End:
    """Where a link ends."""
    real = os.path.realpath(source / path)
    entry = target_of(source / path)
    if entry is not None and f"/{RUNS_DIR}/" not in f"{real}/":
        return End(entry.kind, real, entry)
    return End("-" if os.path.exists(real) else "x", real, Entry("-"))  # noqa: PTH110


def without_runs(tree: Tree) -> Tree:
    """The entries that are not in the folder of runs of some project: keys of pods are there."""
    return {path: entry for path, entry in tree.items() if f"/{RUNS_DIR}/" not in f"/{path}/"}


def entry_at(source: Path, path: str) -> Entry:
    """The link itself."""
    return Entry("l", target=os.readlink(source / path))  # noqa: PTH115
