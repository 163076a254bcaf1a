"""Uploads to the pod: what differs is sent, what should not be there is removed.

Which files to send, remove and keep is decided here. One command on the pod creates the folder, lists it and unpacks
the stream, so that an upload into a new folder takes a single round trip.
"""

from __future__ import annotations

import heapq
import posixpath
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ...errors import StagingFailed
from ...machine.files import real
from ...machine.proc import Child
from ...spec import HOME_ON_POD
from ..ssh import Connection, Unreachable
from . import deltas
from .excludes import Excludes
from .limits import LISTING_BYTES, shown
from .listing import (
    END,
    LISTING_S,
    BadListing,
    RemoteListing,
    make_file_place_command,
    make_folder_command,
    nul_list,
    parse,
    remove_command,
)
from .pack import Packer
from .shipment import entries_here
from .source import Source
from .streams import END_S, Flaky, feed, refusal
from .tree import Entry, Tree, count_files, files_of, local_entry, total_size
from .values import TOOL_FOLDER, Moved, OnProgress, Push, Tally, remote_path

READ_BYTES = 1 << 18
LARGEST_NAMED = 5


def push(connection: Connection, asked: Push, on_progress: OnProgress | None = None) -> Moved:
    """The remote side equals the local one, except for excluded files. Raises StagingFailed and Unreachable."""
    source = real(asked.source)
    try:
        if source.is_dir():
            return _push_folder(connection, asked, source, on_progress)
        if source.is_file():
            return _push_file(connection, asked, source, on_progress)
    except TimeoutError:
        raise
    except OSError as error:
        raise StagingFailed(f"cannot read {error.filename or source}: {error.strerror}") from error
    raise StagingFailed(f"{asked.label}: {asked.source} is neither a file nor a folder")


def _push_folder(connection: Connection, asked: Push, source: Path, on_progress: OnProgress | None) -> Moved:
    top = "" if asked.contents else asked.source.name
    excludes = Excludes(asked.excludes, asked.ignored, top=top)
    folder = remote_path(asked.destination)
    folder = f"{folder.rstrip('/')}/{top}" if top else folder
    with _receiver(connection, make_folder_command(folder)) as pod:
        here, links_out = entries_here(asked, source, excludes)  # while the pod lists
        here = without_tool(here)
        there = _listed(connection, pod, excludes)
        there = replace(there, tree=removable(there.tree, folder, asked.kept, here))
        removed = _make_room(connection, here, there, delete=asked.delete)
        moved = _Sending(connection, pod, there, on_progress).of(Source(source, through_links=asked.follow_links), here)
        return _removing(removed, replace(moved, links_out=links_out))


def without_tool(tree: Tree) -> Tree:
    """The entries that are not in a folder of the tool's on a pod."""
    return {path: entry for path, entry in tree.items() if TOOL_FOLDER not in path.split("/")}


def removable(there: Tree, folder: str, kept: Collection[str], here: Tree) -> Tree:
    """The entries of a folder on the pod that an upload may replace or remove: all but the tool's and the kept ones."""
    top = posixpath.normpath(posixpath.join(HOME_ON_POD, folder)).rstrip("/") + "/"
    closed = {path.removeprefix(top) for path in map(posixpath.normpath, kept) if path.startswith(top)}
    return {path: entry for path, entry in without_tool(there).items() if path in here or path not in closed}


def _removing(removed: Tree, moved: Moved) -> Moved:
    """The result, with the files that were removed."""
    files = files_of(removed)
    largest = heapq.nlargest(LARGEST_NAMED, files, key=lambda path: files[path].size)
    return replace(
        moved,
        removed=len(files),
        removed_bytes=total_size(files),
        removed_largest=tuple(f"{shown(path)} ({files[path].size} bytes)" for path in largest),
    )


def _push_file(connection: Connection, asked: Push, source: Path, on_progress: OnProgress | None) -> Moved:
    """A file goes into the destination if that is a folder or ends with a slash, otherwise it gets that path."""
    path, into = remote_path(asked.destination), asked.destination.endswith("/")
    with _receiver(connection, make_file_place_command(path, asked.source.name, into=into)) as pod:
        there = _listed(connection, pod, Excludes(()))
        name = asked.source.name if there.kind == "d" else path.rpartition("/")[2]
        return _Sending(connection, pod, there, on_progress).of(
            Source(source, is_folder=False), {name: whole_file(source)}
        )


def whole_file(source: Path) -> Entry:
    """The entry of a file that existed a moment ago. Raises StagingFailed."""
    entry = local_entry(source)
    if entry is None:
        raise StagingFailed(f"{source} vanished")
    return entry


@contextmanager
def _receiver(connection: Connection, listing: str) -> Iterator[Child]:
    """A command that lists a folder and then unpacks a tar stream into it."""
    with connection.spawn(f"{listing}tar -xpof -") as child:
        yield child


def _listed(connection: Connection, pod: Child, excludes: Excludes) -> RemoteListing:
    """The listing that the command prints before it reads its input."""
    output = bytearray()
    while not output.endswith(END):
        data = pod.read(READ_BYTES, LISTING_S)
        if data is None:
            raise Unreachable("dropped", f"the pod has listed nothing for {LISTING_S:.0f} s")
        if not data:
            code = pod.wait(END_S)
            connection.check(code, pod.errors())
            raise refusal(pod.errors(), f"exit code {code}")
        output += data
        if len(output) > LISTING_BYTES:
            raise StagingFailed(f"the pod lists more than {LISTING_BYTES} bytes")
    try:
        return parse(bytes(output), excludes)
    except BadListing as error:
        raise Flaky(f"the pod's listing makes no sense: {error}") from error


def _make_room(connection: Connection, here: Tree, there: RemoteListing, *, delete: bool) -> Tree:
    """The entries that are removed: those of another kind than here, and with `delete` those that are not here."""
    gone = [path for path, entry in there.tree.items() if (here[path].kind != entry.kind if path in here else delete)]
    folders = sorted((path for path in gone if there.tree[path].kind == "d"), reverse=True)
    others = [path for path in gone if there.tree[path].kind != "d"]
    for paths, are_folders in ((others, False), (folders, True)):
        if paths:
            command = remove_command(there.path, folders=are_folders)
            connection.run(command, stdin=nul_list(paths), timeout_s=LISTING_S)
    return {path: there.tree[path] for path in gone}


class _Sending:
    """The upload of what differs, to a command on the pod that waits for it."""

    def __init__(
        self, connection: Connection, pod: Child, there: RemoteListing, on_progress: OnProgress | None
    ) -> None:
        self.connection, self.pod, self.there, self.on_progress = connection, pod, there, on_progress

    def of(self, source: Source, here: Tree) -> Moved:
        """The source's entries are on the pod."""
        changed = {path: entry for path, entry in here.items() if not entry.same_as(self.there.tree.get(path))}
        tally = Tally(self.on_progress, of_files=count_files(changed), of_bytes=total_size(changed))
        sent = deltas.send(self.connection, source, changed, self.there, tally)
        whole = {path: entry for path, entry in changed.items() if path not in sent}
        feed(self.connection, self.pod, lambda: Packer(self.pod, tally).pack(source, whole))
        return Moved(files=count_files(here), bytes_total=total_size(here), bytes_transferred=tally.bytes)
