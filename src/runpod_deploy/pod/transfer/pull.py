"""Downloads from the pod: fetched beside the artifact's place, verified by checksum, moved there by rename.

The pod is not trusted: its listing is screened before anything is fetched, and everything here is reached by handles.
Decides what is asked for and where it goes; knows nothing of how files travel.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from ...errors import ArtifactMissing
from ..ssh import Connection
from .download import Download
from .excludes import Excludes
from .incoming import Incoming
from .limits import FILE_BYTES, LISTING_BYTES, shown
from .links_there import with_links
from .listing import END, LISTING_S, BadListing, RemoteListing, list_command, parse
from .place import Place
from .screening import Screen, clean
from .tree import Entry
from .values import Moved, OnProgress, Pull, remote_path


def pull(connection: Connection, asked: Pull, on_progress: OnProgress | None = None) -> Moved | None:
    """The local side equals the remote one, verified; None if there is nothing at that remote path.

    Raises ArtifactMissing and Unreachable, and OSError where files cannot be written here.
    """
    try:
        return _pull(connection, asked, on_progress)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # The limits leave nothing that leads here; if something does, it costs this artifact and not the others.
        raise ArtifactMissing(f"{asked.label}: what the pod sends makes no sense: {error!r}") from error


def _pull(connection: Connection, asked: Pull, on_progress: OnProgress | None) -> Moved | None:
    path, contents = remote_path(asked.remote_path), asked.remote_path.endswith("/")
    name = path.rpartition("/")[2]
    excludes = Excludes(asked.excludes, top="" if contents else name)
    look = partial(listed, connection, path, excludes)
    there = look()
    if there.kind == "-":
        return None
    is_folder = there.kind == "d"
    into = not contents if is_folder else asked.into or asked.local_path.is_dir()
    target = landing(asked.local_path / name if into else asked.local_path, is_folder=is_folder)
    screen = Screen(target, asked)
    target.parent.mkdir(parents=True, exist_ok=True)
    with Place.at(target.parent) as parent:
        found = parent.entry(target.name)
        refuse_other_kind(found, target, is_folder=is_folder)
        with Incoming(parent, target) as incoming, place_of(parent, target, incoming, found, is_folder) as place:
            download = Download(
                connection, look, there, screen, parent, place, target, incoming, asked.trusting, on_progress
            )
            if not is_folder:
                return download.to_file()
            return download.to_folder(excludes, delete=asked.delete) if found else download.to_new_folder()


def landing(target: Path, *, is_folder: bool) -> Path:
    """The real path of an artifact's place. A link of the user's to a folder is followed, one to a file replaced."""
    if is_folder and target.is_dir():
        return Path(os.path.realpath(target))
    if target.name in ("", ".."):
        raise ArtifactMissing(f"{target} cannot be the place of an artifact", hint="change its local_path")
    return Path(os.path.realpath(target.parent), target.name)


def place_of(parent: Place, target: Path, incoming: Incoming, found: Entry | None, is_folder: bool) -> Place:
    """Where the files are to be; a folder that is new is made in the incoming folder, and becomes the target later."""
    if not is_folder:
        return parent.below("")
    return parent.below(target.name) if found else incoming.files.below("")


def refuse_other_kind(found: Entry | None, target: Path, *, is_folder: bool) -> None:
    """Raises ArtifactMissing where a folder should be and something else is, or the other way round."""
    if found is None or (found.kind == "d") == is_folder:
        return
    here, there = ("a folder", "a file") if found.kind == "d" else ("no folder", "a folder")
    raise ArtifactMissing(f"{target} is {here} here and {there} on the pod", hint="move it away")


def listed(connection: Connection, path: str, excludes: Excludes) -> RemoteListing:
    """What is at a path on the pod. Raises ArtifactMissing if that cannot be listed, and Unreachable."""
    received = 0

    def count(output: bytes) -> None:
        nonlocal received
        received += len(output)
        if received > LISTING_BYTES:
            raise ArtifactMissing(f"{path} on the pod: more than {LISTING_BYTES} bytes of file names")

    ended = connection.run(list_command(path), timeout_s=LISTING_S, keep_bytes=LISTING_BYTES, on_output=count)
    if not ended.stdout.endswith(END):
        words = ended.stderr.decode(errors="replace").strip() or f"exit code {ended.exit_code}"
        raise ArtifactMissing(f"cannot list {path} on the pod: {words}")
    try:
        there = parse(ended.stdout, excludes)
        there = with_links(connection, there, excludes) if there.kind == "d" else there
    except BadListing as error:
        raise ArtifactMissing(f"{path} on the pod: its listing makes no sense: {error}") from error
    return one_file(there) if there.kind == "f" else there


def one_file(there: RemoteListing) -> RemoteListing:
    """The listing of a single file. Raises ArtifactMissing if it lists anything else."""
    for path, entry in there.tree.items():
        if len(there.tree) > 1 or entry.kind != "f" or "/" in path or not 0 <= entry.size <= FILE_BYTES:
            raise ArtifactMissing(
                f"{there.path} on the pod: its listing makes no sense: {shown(path)} is no single file"
            )
    return RemoteListing(there.kind, there.path, there.has_rsync, {p: clean(e) for p, e in there.tree.items()})
