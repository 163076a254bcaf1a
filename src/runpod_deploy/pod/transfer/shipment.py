"""The transfer that a staging entry asks for, and the files that it would send. Knows local folders; knows no pod."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from pathlib import Path

from ...errors import StagingFailed
from ...machine.files import real
from ...machine.git import GitFailed, git_ignored
from ...record.paths import RUNS_DIR
from ...spec import RsyncPushSpec
from ...spec.places import expanded
from .excludes import Excludes
from .links_here import leading_out, with_links
from .listing import BadListing
from .tree import Tree, local_tree
from .values import Push

LARGEST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """One file that would be uploaded."""

    path: Path
    """Absolute."""
    name: str
    """Relative to the entry's source."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """All files that one staging entry would upload to an empty pod."""

    label: str
    destination: str
    files: tuple[ShippedFile, ...]
    links_out: tuple[str, ...] = ()
    """Links that lead out of the source and would be sent as links, each with its target."""

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def largest(self) -> list[ShippedFile]:
        """The ten largest files, the largest first."""
        return heapq.nlargest(LARGEST_SHOWN, self.files, key=lambda file: file.size_bytes)


def survey(entry: RsyncPushSpec, project_root: Path) -> Shipment:
    """The files that an entry would upload; none if its source does not exist. Raises StagingFailed."""
    push = push_of(entry, project_root, mount="/")
    files: tuple[ShippedFile, ...] = ()
    links_out: tuple[str, ...] = ()
    if push.source.is_file():
        files = (ShippedFile(push.source, push.source.name, push.source.stat().st_size),)
    elif push.source.is_dir():
        tree, links_out = shipped_tree(push)
        files = tuple(ShippedFile(push.source / n, n, tree[n].size) for n in sorted(tree) if tree[n].kind != "d")
    return Shipment(label=entry.label, destination=entry.destination, files=files, links_out=links_out)


def push_of(entry: RsyncPushSpec, project_root: Path, *, mount: str, kept: tuple[str, ...] = ()) -> Push:
    """The transfer that an entry asks for, on a pod with a volume at `mount`. The results of runs are no part of it."""
    source = project_root / expanded(entry.source)
    return Push(
        label=entry.label,
        source=source,
        contents=entry.contents,
        destination=entry.destination,
        excludes=entry.effective_excludes,
        ignored=(*own_results(project_root, source), *(ignored(entry, source) if entry.respect_gitignore else ())),
        delete=entry.deletes(mount),
        follow_links=entry.follow_links,
        kept=kept,
    )


def ignored(entry: RsyncPushSpec, source: Path) -> tuple[str, ...]:
    """The paths below the source that git ignores. Raises GitFailed, rather than that all of them are uploaded."""
    try:
        return git_ignored(source) if source.is_dir() else ()
    except GitFailed as error:
        raise GitFailed(
            f"staging {entry.label}: respect_gitignore: {error.message}",
            hint="mend what git says, or write respect_gitignore: false and list excludes",
        ) from None


def own_results(project_root: Path, source: Path) -> tuple[str, ...]:
    """The path of the run folders below the source, if they are there."""
    runs = real(project_root / RUNS_DIR)
    try:
        return (runs.relative_to(real(source)).as_posix(),)
    except ValueError:
        return ()


def shipped_tree(push: Push) -> tuple[Tree, tuple[str, ...]]:
    """The entries that an upload of a folder would send, and the links that lead out. Raises StagingFailed."""
    # Without a trailing slash, the folder's own name is the first part of the paths that patterns are matched with.
    excludes = Excludes(push.excludes, push.ignored, top="" if push.contents else push.source.name)
    try:
        return entries_here(push, real(push.source), excludes)
    except OSError as error:
        raise StagingFailed(f"staging {push.label}: {error.filename}: cannot be read: {error.strerror}") from None


def entries_here(push: Push, source: Path, excludes: Excludes) -> tuple[Tree, tuple[str, ...]]:
    """The entries of a folder, and the links among them that lead out of it, each with its target.

    Raises StagingFailed beyond a limit, and OSError where something cannot be read.
    """
    tree = local_tree(source, excludes)
    if not push.follow_links:
        return tree, leading_out(source, tree)
    try:
        return with_links(source, tree, excludes)
    except BadListing as error:
        raise StagingFailed(f"staging {push.label}: {source}: {error}") from None
