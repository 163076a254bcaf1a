"""Large files of which the other side has an older version: only the difference moves.

rsync does that where both sides have it. Otherwise, if the older version is the beginning of the new one (as after a
broken connection, or of a log that grows), only the rest is sent. Knows no tar; others decide which files to move.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from shlex import quote

from ...machine.signals import checkpoint
from ..ssh import Connection
from . import rsync
from .incoming import Incoming
from .listing import LISTING_S, RemoteListing, nul_list, parse_sums, sums_command, sums_limit
from .pack import send_file
from .place import Place
from .source import Source
from .streams import feed, output_of
from .tree import Entry, Tree
from .unpack import finish, write_all
from .values import Tally

LARGE_BYTES = 8 << 20
"""Smaller files are sent whole: that takes less time than to find the difference."""
ALL = 1 << 40


def older_versions(wanted: Tree, version: Callable[[str], Entry | None]) -> Tree:
    """The older version of each large wanted file, if it has one that is large as well."""
    large = {path: version(path) for path, entry in wanted.items() if entry.kind == "f" and entry.size >= LARGE_BYTES}
    return {path: entry for path, entry in large.items() if entry and entry.kind == "f" and entry.size >= LARGE_BYTES}


def send(connection: Connection, source: Source, changed: Tree, there: RemoteListing, tally: Tally) -> set[str]:
    """Changed files that the pod now has, built from an older version. Raises StagingFailed, Unreachable."""
    versions = older_versions(changed, there.tree.get)
    if not versions:
        return set()
    files: Tree = {}
    if there.has_rsync and rsync.here() and source.is_folder:  # which would not go through links
        files = {path: changed[path] for path in versions if os.path.realpath(file := source.file(path)) == str(file)}
    if files:
        rsync.send(connection, source.place, files, there.path, tally)
    rest = {path: entry for path, entry in versions.items() if path not in files}
    return {*files, *_send_tails(connection, source, changed, replace(there, tree=rest), tally)}


def _send_tails(connection: Connection, source: Source, changed: Tree, there: RemoteListing, tally: Tally) -> set[str]:
    grown = {path: entry for path, entry in there.tree.items() if entry.size <= changed[path].size}
    sums = sums_there(connection, there.path, grown)
    sent = set()
    for path, entry in grown.items():
        with opened(source, path) as file:
            if sums.get(path) == _sum_of_beginning(file, entry.size):
                _send_rest(connection, file, (f"{there.path}/{path}", changed[path]), tally)
                sent.add(path)
    return sent


@contextmanager
def opened(source: Source, path: str) -> Iterator[int]:
    """A handle of the file while the block runs. Raises as `Source.open` does."""
    handle = source.open(path)
    try:
        yield handle
    finally:
        os.close(handle)


def _send_rest(connection: Connection, file: int, goal: tuple[str, Entry], tally: Tally) -> None:
    """The file on the pod, which has already what was read of the open file, is complete."""
    name, entry, at = quote(goal[0]), goal[1], os.lseek(file, 0, os.SEEK_CUR)
    command = f"cat >>{name} && chmod {entry.mode:o} {name} && touch -d @{entry.mtime} {name}"
    with connection.spawn(command) as child:
        tally.add(files=1)
        feed(connection, child, lambda: send_file(child, file, entry.size - at, goal[0], tally))


def fetch(connection: Connection, there: RemoteListing, wanted: Tree, incoming: Incoming, tally: Tally) -> set[str]:
    """Wanted files that the incoming folder now has, built from an older version and not verified.

    Raises Unreachable, and ArtifactMissing beyond a limit.
    """
    versions = older_versions(wanted, incoming.files.entry)
    files: Tree = {}
    if there.has_rsync and rsync.here():  # which would not go through links
        files = {path: wanted[path] for path in versions if not there.is_behind_link(path)}
    if files:
        with incoming.apart(files) as folder:
            rsync.fetch(connection, there.path, files, folder, tally)
    rest = {path: entry for path, entry in versions.items() if path not in files}
    grown = {path for path, entry in rest.items() if entry.size <= wanted[path].size}
    for path in grown:
        _fetch_tail(connection, f"{there.path}/{path}", (path, wanted[path]), incoming.files, tally)
    return {*files, *grown}


def _fetch_tail(connection: Connection, remote: str, wanted: tuple[str, Entry], files: Place, tally: Tally) -> None:
    """The file here, which has the beginning already, is complete as far as it was listed."""
    path, entry = wanted
    with os.fdopen(files.extend_file(path), "ab") as file:
        left = entry.size - file.tell()
        with connection.spawn(f"tail -c +{file.tell() + 1} -- {quote(remote)}") as child:
            for data in output_of(connection, child):
                kept = data[:left]
                left -= len(kept)
                write_all(file.fileno(), kept)
                tally.add(moved=len(kept))
                tally.report()
                if len(kept) < len(data):
                    break  # it has grown since it was listed
        finish(file.fileno(), entry)
    tally.add(files=1)


def sums_there(connection: Connection, folder: str, files: Tree) -> dict[str, str]:
    """Hash by path on the pod; empty if the pod has no sha256sum."""
    if not files:
        return {}
    asked = connection.run(
        sums_command(folder), stdin=nul_list(files), timeout_s=LISTING_S, keep_bytes=sums_limit(files)
    )
    return parse_sums([asked.stdout], files) or {}


def _sum_of_beginning(handle: int, size: int) -> str:
    """The hash of the first bytes of an open file; empty if the file is shorter."""
    digest = hashlib.sha256()
    while size and (data := os.read(handle, min(size, 1 << 20))):
        checkpoint()  # a large file takes minutes
        digest.update(data)
        size -= len(data)
    return "" if size else digest.hexdigest()
