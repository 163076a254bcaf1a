"""From the pod to here: fetched beside the target, verified by checksum, put in place by rename.

Until a file is here and equal to the pod's, only a temporary folder beside the target is written; a second call goes on
with what that holds. What is still written while it is fetched is looked at again, and taken as far as it is equal.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ...errors import ArtifactMissing
from ..ssh import Connection
from . import deltas
from .excludes import Excludes
from .listing import (
    END,
    LISTING_S,
    RemoteListing,
    beginnings_command,
    list_command,
    nul_list,
    pack_command,
    parse,
    parse_sums,
    sums_command,
)
from .streams import output_of, send_names
from .tree import Entry, Tree, local_entry, local_tree, total_size
from .unpack import Unpacker
from .values import Moved, OnProgress, Pull, Tally, remote_path

ROUNDS = 3
ALL = 1 << 40


def pull(connection: Connection, asked: Pull, on_progress: OnProgress | None = None) -> Moved | None:
    """The local side holds the remote one, verified; None if there is nothing at that remote path.

    Raises ArtifactMissing and Unreachable.
    """
    path, contents = remote_path(asked.remote_path), asked.remote_path.endswith("/")
    name = path.rpartition("/")[2]
    excludes = Excludes(asked.excludes, top="" if contents else name)
    look = partial(_look, connection, path, excludes)
    there = look()
    if there.kind == "-":
        return None
    folder = there.kind == "d"
    into = not contents if folder else asked.into or asked.local_path.is_dir()
    target = asked.local_path / name if into else asked.local_path
    home = _Homecoming(connection, look, there, target, trusting=asked.trusting, on_progress=on_progress)
    return home.of_folder(excludes, delete=asked.delete) if folder else home.of_file()


def _look(connection: Connection, path: str, excludes: Excludes) -> RemoteListing:
    """What is at a path on the pod. Raises ArtifactMissing if it cannot be listed, and Unreachable."""
    ended = connection.run(list_command(path), timeout_s=LISTING_S, keep_bytes=ALL)
    if not ended.stdout.endswith(END):
        words = ended.stderr.decode(errors="replace").strip() or f"exit code {ended.exit_code}"
        raise ArtifactMissing(f"cannot list {path} on the pod: {words}")
    return parse(ended.stdout, excludes)


@dataclass
class _Homecoming:
    """One pull: fetched beside the target, verified, put in place."""

    connection: Connection
    look: Callable[[], RemoteListing]
    there: RemoteListing
    target: Path
    on_progress: OnProgress | None
    trusting: bool
    sums: dict[str, str] = field(default_factory=dict)
    """Hash by path of the files that are here and equal."""
    left: Tree = field(default_factory=dict)
    """What an earlier try has left in the incoming folder."""
    fetched_bytes: int = 0

    @property
    def incoming(self) -> Path:
        """Where files wait until they are verified."""
        return self.target.with_name(f".{self.target.name}.incoming")

    @property
    def folder(self) -> str:
        """Where on the pod the paths begin."""
        return self.there.path if self.there.kind == "d" else self.there.path.rpartition("/")[0] or "/"

    @property
    def files(self) -> Tree:
        """The files on the pod."""
        return {path: entry for path, entry in self.there.tree.items() if entry.kind == "f"}

    def final(self, path: str) -> Path:
        """Where the file is to be."""
        return self.target / path if self.there.kind == "d" else self.target

    def of_folder(self, excludes: Excludes, *, delete: bool) -> Moved:
        """The target folder holds the remote one. What is verified is in place, even if not all could be."""
        differing = self.verify()
        new = not os.path.lexists(self.target)
        into = self.incoming if new else self.target
        into.mkdir(parents=True, exist_ok=True)
        for path, entry in self.there.tree.items():
            if entry.kind != "f":
                put(into / path, entry)
            elif path in self.sums and not new:
                put_file(self.incoming / path, into / path)
        if new:
            self.incoming.replace(self.target)
        if differing:
            raise unequal(self.folder, differing)
        if delete:
            prune(self.target, local_tree(self.target, excludes), self.there.tree)
        return self.moved()

    def of_file(self) -> Moved:
        """The target is the remote file."""
        differing = self.verify()
        if differing or not self.there.tree:
            raise unequal(self.folder, differing or [self.target.name])
        self.target.parent.mkdir(parents=True, exist_ok=True)
        for name in self.there.tree:
            put_file(self.incoming / name, self.target)
        return self.moved()

    def verify(self) -> list[str]:
        """The files that could not be had equal to the pod's; those that could are in the incoming folder, if they are
        not at their final places already."""
        self.tidy()
        wanted = self.missing()
        self.lay_bases(wanted)
        differing = self.compare(wanted, wanted if self.trusting else self.files)
        for _ in range(ROUNDS - 1):
            if not differing:
                return []
            before, self.there = self.there, self.look()
            if self.there.kind != before.kind:
                raise ArtifactMissing(f"{before.path} vanished while it was pulled")
            self.discard(differing)
            wanted = {p: entry for p, entry in self.files.items() if p in differing or p not in before.tree}
            differing = self.compare(wanted, wanted)
        differing = self.without_grown(differing)
        self.discard(differing)
        return differing

    def tidy(self) -> None:
        """What an earlier try has left is of the same kinds as what is on the pod, and no link."""
        found, tree = local_tree(self.incoming, Excludes(())), self.there.tree
        self.left = {path: entry for path, entry in found.items() if entry.kind in "fd" and alike(found, tree, path)}
        prune(self.incoming, found, self.left)

    def missing(self) -> Tree:
        """The files that are to be fetched, by size and time; the checksums of the others are compared all the same."""
        absent = {path: entry for path, entry in self.files.items() if not entry.same_as(self.left.get(path))}
        if not os.path.lexists(self.target):
            return absent
        return {path: entry for path, entry in absent.items() if not entry.same_as(local_entry(self.final(path)))}

    def lay_bases(self, wanted: Tree) -> None:
        """Of each large file of which an older version is here, the incoming folder has a copy to go on with."""
        for path in deltas.older_versions(wanted, lambda path: local_entry(self.final(path))):
            fetched = self.incoming / path
            if not fetched.exists():
                fetched.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.final(path), fetched)

    def discard(self, paths: Iterable[str]) -> None:
        """These are not in the incoming folder."""
        for path in paths:
            (self.incoming / path).unlink(missing_ok=True)

    def compare(self, wanted: Tree, files: Tree) -> list[str]:
        """Those of the files that differ from the pod's, once the wanted ones are fetched. The pod sums meanwhile."""
        if not files:
            return []
        with self.connection.spawn(sums_command(self.folder)) as summing:
            send_names(summing, nul_list(files))
            come = self.fetch(wanted) if wanted else {}
            theirs = parse_sums(b"".join(output_of(self.connection, summing, LISTING_S)))
        for path in files:
            waits = path in wanted or path in self.left
            digest = come.get(path) or sha256(self.incoming / path if waits else self.final(path))
            if digest and (theirs is None or digest == theirs.get(path)):
                self.sums[path] = digest
        return [path for path in files if path not in self.sums]

    def fetch(self, wanted: Tree) -> dict[str, str]:
        """Hash by path of the files that have come; of some that have, none is known yet."""
        self.incoming.mkdir(parents=True, exist_ok=True)
        tally = Tally(self.on_progress, of_files=len(wanted), of_bytes=total_size(wanted))
        there = replace(self.there, path=self.folder)
        made = deltas.fetch(self.connection, there, wanted, self.incoming, tally)
        rest = {path: entry for path, entry in wanted.items() if path not in made}
        come: dict[str, str] = {}
        if rest:
            with self.connection.spawn(pack_command(self.folder)) as packing:
                send_names(packing, nul_list(rest))
                come = Unpacker(told(output_of(self.connection, packing), tally), self.incoming, tally).unpack(rest)
        self.fetched_bytes += tally.bytes
        return come

    def without_grown(self, differing: list[str]) -> list[str]:
        """Those that are not even the beginning of what is on the pod: what has grown since is no error."""
        here = {path: entry for path in differing if (entry := local_entry(self.incoming / path))}
        if not here:
            return differing
        pairs = b"".join(b"%d\0%s" % (entry.size, nul_list((path,))) for path, entry in here.items())
        asked = self.connection.run(beginnings_command(self.folder), stdin=pairs, timeout_s=LISTING_S, keep_bytes=ALL)
        theirs, ours = parse_sums(asked.stdout) or {}, {path: sha256(self.incoming / path) for path in here}
        self.sums |= {path: digest for path, digest in ours.items() if digest == theirs.get(path)}
        return [path for path in differing if path not in self.sums]

    def moved(self) -> Moved:
        """What was moved, with the hash of the list of hashes; the incoming folder is gone."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        rows = "".join(f"{digest}  {path}\n" for path, digest in sorted(self.sums.items()))
        return Moved(
            files=len(self.files),
            bytes_total=total_size(self.there.tree),
            bytes_transferred=self.fetched_bytes,
            sha256=hashlib.sha256(os.fsencode(rows)).hexdigest(),
        )


def told(pieces: Iterator[bytes], tally: Tally) -> Iterator[bytes]:
    """The pieces; after each it is told how far the transfer is."""
    for piece in pieces:
        yield piece
        tally.report()


def alike(one: Tree, other: Tree, path: str) -> bool:
    """Whether both have something of the same kind there."""
    return path in other and one[path].kind == other[path].kind


def unequal(folder: str, paths: list[str]) -> ArtifactMissing:
    """The error for files that could not be had as they are on the pod."""
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return ArtifactMissing(
        f"{folder}: {paths[0]!r}{others} could not be had as on the pod",
        hint="written while it was pulled, or it cannot be read there",
    )


def put(path: Path, entry: Entry) -> None:
    """The folder or link is there. Raises ArtifactMissing."""
    if entry.kind == "l":
        refuse_folder(path)
        path.unlink(missing_ok=True)
        path.symlink_to(entry.target)
    else:
        if path.is_symlink() or path.is_file():
            path.unlink()
        path.mkdir(exist_ok=True)


def put_file(fetched: Path, final: Path) -> None:
    """The file is at its final path; if it was not fetched, it is there already. Raises ArtifactMissing."""
    refuse_folder(final)
    if fetched.exists():
        fetched.replace(final)


def refuse_folder(path: Path) -> None:
    """Raises ArtifactMissing where a folder is in the way: what is in it is not ours to remove."""
    if path.is_dir() and not path.is_symlink():
        raise ArtifactMissing(f"{path} is a folder here and not on the pod", hint="move it away")


def prune(root: Path, here: Tree, kept: Collection[str]) -> None:
    """What is below root and not to be kept is gone, but for folders that still hold what was left out."""
    for path in sorted(here, reverse=True):
        if path in kept:
            continue
        if here[path].kind != "d":
            (root / path).unlink()
        elif not any((root / path).iterdir()):
            (root / path).rmdir()


def sha256(path: Path) -> str:
    """The hash of a file here; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
