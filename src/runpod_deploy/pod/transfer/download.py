"""One download: what is missing is fetched into the incoming folder, verified, and moved to its place.

Until a file is here and equal to the pod's, only the incoming folder is written; a later call uses what that holds. A
file that is written while it is fetched is looked at again, and taken as far as it is equal.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ArtifactMissing
from ..ssh import Connection
from . import deltas
from .excludes import Excludes
from .incoming import Incoming
from .limits import shown
from .listing import (
    LISTING_S,
    RemoteListing,
    beginnings_command,
    nul_list,
    pack_command,
    parse_sums,
    sums_command,
    sums_limit,
)
from .place import Place
from .screening import Screen
from .streams import at_most, output_of, send_names
from .tree import Entry, Tree, count_files, files_of, total_size
from .unpack import Unpacker
from .values import Moved, OnProgress, Tally

ROUNDS = 3


@dataclass
class Download:
    """One download of a folder or a file."""

    connection: Connection
    look: Callable[[], RemoteListing]
    there: RemoteListing
    """The latest listing, screened."""
    screen: Screen
    parent: Place
    """The open folder in which the target lies."""
    place: Place
    """Where the files are to be: the target folder, or the parent of a target file."""
    target: Path
    incoming: Incoming
    trusting: bool
    on_progress: OnProgress | None
    refused: tuple[str, ...] = ()
    sums: dict[str, str] = field(default_factory=dict)
    """Hash by path of the files that are here and equal."""
    left: Tree = field(default_factory=dict)
    """What an earlier attempt has left in the incoming folder."""
    fetched_bytes: int = 0

    @property
    def folder(self) -> str:
        """Where on the pod the paths begin."""
        return self.there.path if self.there.kind == "d" else self.there.path.rpartition("/")[0] or "/"

    @property
    def files(self) -> Tree:
        """The files on the pod."""
        return {path: entry for path, entry in self.there.tree.items() if entry.kind == "f"}

    def final(self, path: str) -> str:
        """Where in the place the file is to be."""
        return path if self.there.kind == "d" else self.target.name

    def to_folder(self, excludes: Excludes, *, delete: bool) -> Moved:
        """The target folder equals the remote one. Files that are verified are in place even if others are not."""
        differing = self.verify()
        for path, entry in self.there.tree.items():
            if entry.kind == "d":
                self.place.make_folder(path)
            elif path in self.sums:
                self.place.move_in(self.incoming.files, path, path)
        for path, entry in self.there.tree.items():
            if entry.kind == "l":
                self.place.make_link(path, entry.target)
        if differing:
            raise unequal(self.folder, differing)
        if delete:
            here = self.screen.open_entries(self.place.tree(excludes))
            self.place.prune(here, {*self.there.tree, *self.refused, *self.there.unresolved})
        return self.moved()

    def to_new_folder(self) -> Moved:
        """The target folder, which did not exist, equals the remote one as far as it could be verified."""
        differing = self.verify()
        for path, entry in self.there.tree.items():
            if entry.kind == "d":
                self.place.make_folder(path)
        self.tidy()
        for path, entry in self.there.tree.items():
            if entry.kind == "l":
                self.place.make_link(path, entry.target)
        self.incoming.become(self.target.name)
        if differing:
            raise unequal(self.folder, differing)
        return self.moved()

    def to_file(self) -> Moved:
        """The target equals the remote file."""
        differing = self.verify()
        if differing or not self.there.tree:
            raise unequal(self.folder, differing or [self.target.name])
        for name in self.there.tree:
            self.place.move_in(self.incoming.files, name, self.target.name)
        return self.moved()

    def verify(self) -> list[str]:
        """The files that could not be fetched equal to the pod's.

        The equal ones are in the incoming folder, or at their final places already.
        """
        self.take(self.there)
        self.left = self.tidy()
        wanted = self.missing()
        self.lay_bases(wanted)
        differing = self.compare(wanted, {**wanted, **files_of(self.left)} if self.trusting else self.files)
        for _ in range(ROUNDS - 1):
            if not differing:
                return []
            before = self.there
            self.take(self.look())
            if self.there.kind != before.kind:
                raise ArtifactMissing(f"{before.path} vanished while it was downloaded")
            self.discard(differing)
            self.tidy()
            wanted = {p: entry for p, entry in self.files.items() if p in differing or p not in before.tree}
            differing = self.compare(wanted, wanted)
        differing = self.without_grown(differing)
        self.discard(differing)
        return differing

    def take(self, there: RemoteListing) -> None:
        """The listing is the latest one, without what may not be here."""
        self.there = there
        if there.kind == "d":
            self.there, refused = self.screen.passed(there, self.place.entry)
            self.refused = (*there.refused, *refused)

    def tidy(self) -> Tree:
        """What the incoming folder holds: folders and files, and only where the pod has the same kind."""
        found, tree = self.incoming.files.tree(Excludes(())), self.there.tree
        kept = {path: entry for path, entry in found.items() if entry.kind in "fd" and same_kind(found, tree, path)}
        self.incoming.files.prune(found, kept)
        return kept

    def missing(self) -> Tree:
        """The files to fetch, by size and time; the checksums of the others are compared all the same."""
        absent = {path: entry for path, entry in self.files.items() if not entry.same_as(self.left.get(path))}
        return {path: entry for path, entry in absent.items() if not entry.same_as(self.place.entry(self.final(path)))}

    def lay_bases(self, wanted: Tree) -> None:
        """The incoming folder has a copy of each large file of which an older version is in place."""
        for path in deltas.older_versions(wanted, lambda path: self.place.entry(self.final(path))):
            if path not in self.left:
                self.incoming.files.copy_in(self.place, self.final(path), path)

    def discard(self, paths: Iterable[str]) -> None:
        """These are not in the incoming folder."""
        for path in paths:
            self.incoming.files.remove(path)

    def compare(self, wanted: Tree, files: Tree) -> list[str]:
        """Those of the files that differ from the pod's, once the wanted ones are fetched. The pod sums meanwhile."""
        if not files:
            return []
        with self.connection.spawn(sums_command(self.folder)) as summing:
            send_names(summing, nul_list(files))
            arrived = self.fetch(wanted) if wanted else {}
            output = output_of(self.connection, summing, LISTING_S)
            theirs = parse_sums(at_most(sums_limit(files), output, "checksums"), files)
        for path in files:
            digest = arrived.pop(path, "") or self.sha256(path, waits=path in wanted or path in self.left)
            if digest and (theirs is None or digest == theirs.get(path)):
                self.sums[path] = digest
        return [path for path in files if path not in self.sums]

    def sha256(self, path: str, *, waits: bool) -> str:
        """The hash of a file that waits in the incoming folder or is in place; empty if there is none."""
        return self.incoming.files.sha256(path) if waits else self.place.sha256(self.final(path))

    def fetch(self, wanted: Tree) -> dict[str, str]:
        """Hash by path of the files that have arrived; some that have arrived are not hashed yet."""
        tally = Tally(self.on_progress, of_files=len(wanted), of_bytes=total_size(wanted))
        there = replace(self.there, path=self.folder)
        made = deltas.fetch(self.connection, there, wanted, self.incoming, tally)
        rest = {path: entry for path, entry in wanted.items() if path not in made}
        arrived: dict[str, str] = {}
        if rest:
            with self.connection.spawn(pack_command(self.folder)) as packing:
                send_names(packing, nul_list(rest))
                pieces = reported(output_of(self.connection, packing), tally)
                arrived = Unpacker(pieces, self.incoming.files, tally).unpack(rest)
        self.fetched_bytes += tally.bytes
        return arrived

    def without_grown(self, differing: list[str]) -> list[str]:
        """Those that are not even the beginning of the pod's file: that a file has grown since is no error."""
        here = {path: entry for path in differing if (entry := self.incoming.files.entry(path)) and entry.kind == "f"}
        if not here:
            return differing
        pairs = b"".join(b"%d\0%s" % (entry.size, nul_list((path,))) for path, entry in here.items())
        command, limit = beginnings_command(self.folder), sums_limit(here)
        asked = self.connection.run(command, stdin=pairs, timeout_s=LISTING_S, keep_bytes=limit)
        theirs, ours = parse_sums([asked.stdout], here) or {}, {path: self.incoming.files.sha256(path) for path in here}
        self.sums |= {path: digest for path, digest in ours.items() if digest and digest == theirs.get(path)}
        return [path for path in differing if path not in self.sums]

    def moved(self) -> Moved:
        """The result, with the hash of the list of hashes and links; the incoming folder is gone."""
        self.incoming.remove()
        rows = "".join(self.row(path, entry) for path, entry in sorted(self.there.tree.items()))
        return Moved(
            files=count_files(self.there.tree),
            bytes_total=total_size(self.there.tree),
            bytes_transferred=self.fetched_bytes,
            sha256=hashlib.sha256(os.fsencode(rows)).hexdigest(),
            refused=self.refused,
            unresolved=self.there.unresolved,
        )

    def row(self, path: str, entry: Entry) -> str:
        """The line for an entry in the list of checksums: files that are here, and links."""
        if entry.kind == "l":
            return f"-> {entry.target}  {path}\n"
        return f"{self.sums[path]}  {path}\n" if path in self.sums else ""


def reported(pieces: Iterator[bytes], tally: Tally) -> Iterator[bytes]:
    """The pieces; progress is reported after each."""
    for piece in pieces:
        yield piece
        tally.report()


def same_kind(one: Tree, other: Tree, path: str) -> bool:
    """Whether both have something of the same kind there."""
    return path in other and one[path].kind == other[path].kind


def unequal(folder: str, paths: list[str]) -> ArtifactMissing:
    """The error for files that could not be fetched as they are on the pod."""
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return ArtifactMissing(
        f"{folder}: {shown(paths[0])}{others} could not be had as on the pod",
        hint="written while it was pulled, or it cannot be read there",
    )
