"""From here to the pod and back: what differs is sent, what is too much goes, what comes home is verified.

Which files move, which go and which stay is decided here, once; rsync or tar then carry exactly those, so that
the result is the same with either.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from . import rsync, tarball
from .errors import ArtifactMissing, DeployError, StagingFailed
from .excludes import Excludes
from .ssh import Connection
from .transfers import Moved, Pull, Push
from .tree import (
    Entry,
    Tree,
    listing_command,
    local_entry,
    local_tree,
    nul_list,
    parse_listing,
    parse_sums,
    remove_command,
    sums_command,
)

LISTING_S = 1800.0
ROUNDS = 3
ALL = 1 << 40

OnProgress = Callable[[int], None] | None


@dataclass(frozen=True, slots=True)
class Remote:
    """A folder on the pod as it was found."""

    kind: str
    """d, f or - for nothing."""
    has_rsync: bool
    tree: Tree


def push(connection: Connection, asked: Push, on_progress: OnProgress = None) -> Moved:
    """The remote side equals the local one, but for what is left out. Raises StagingFailed and Unreachable."""
    source = asked.source.resolve()
    if source.is_dir():
        return _push_folder(connection, asked, source, on_progress)
    if source.is_file():
        return _push_file(connection, asked, source, on_progress)
    raise StagingFailed(f"{asked.label}: {asked.source} is neither a file nor a folder")


def _push_folder(connection: Connection, asked: Push, source: Path, on_progress: OnProgress) -> Moved:
    top = "" if asked.contents else asked.source.name
    excludes = Excludes(asked.excludes, asked.ignored, top=top)
    folder = _joined(remote_path(asked.destination), top)
    there = _look(connection, folder, excludes, StagingFailed)
    here = local_tree(source, excludes)
    _make_room(connection, folder, here, there, delete=asked.delete)
    return _send(connection, source, here, folder, there, on_progress)


def _push_file(connection: Connection, asked: Push, source: Path, on_progress: OnProgress) -> Moved:
    """A file goes into a folder that is there or is named with a slash at the end, else to the path itself."""
    path = remote_path(asked.destination)
    there = _look(connection, path, Excludes(()), StagingFailed)
    into = there.kind == "d" or asked.destination.endswith("/")
    folder, name = (path, asked.source.name) if into else (path.rpartition("/")[0] or ".", path.rpartition("/")[2])
    entry = local_entry(source)
    assert entry is not None
    if name == source.name:
        return _send(connection, source.parent, {name: entry}, folder, there, on_progress)
    without_rsync = Remote(there.kind, False, there.tree)
    return _send(connection, source, {name: entry}, folder, without_rsync, on_progress)


def _make_room(connection: Connection, folder: str, here: Tree, there: Remote, *, delete: bool) -> None:
    """What is there and not here is gone, as is what is of another kind than here."""
    if there.kind == "f":
        raise StagingFailed(f"{folder} is a file on the pod, and the source is a folder")
    gone = [path for path, entry in there.tree.items() if (here[path].kind != entry.kind if path in here else delete)]
    folders = sorted((path for path in gone if there.tree[path].kind == "d"), reverse=True)
    others = [path for path in gone if there.tree[path].kind != "d"]
    for paths, are_folders in ((others, False), (folders, True)):
        if paths:
            command = remove_command(folder, folders=are_folders)
            connection.run(command, stdin=nul_list(paths), timeout_s=LISTING_S)


def _send(
    connection: Connection, source: Path, here: Tree, folder: str, there: Remote, on_progress: OnProgress
) -> Moved:
    """The entries are in the folder on the pod. `source` is the folder they are in, or the one file itself."""
    changed = {path: entry for path, entry in here.items() if not entry.same_as(there.tree.get(path))}
    made = connection.run(f"mkdir -p {quote(folder)}", timeout_s=LISTING_S)
    if made.exit_code:
        raise StagingFailed(made.stderr.decode(errors="replace").strip())
    if changed:
        way = rsync.send if there.has_rsync and rsync.here() else tarball.send
        way(connection, source, changed, folder, on_progress or _ignore)
    return _moved(here, changed)


def pull(connection: Connection, asked: Pull, on_progress: OnProgress = None) -> Moved | None:
    """The local side holds the remote one, verified; None if there is nothing at that remote path.

    Raises ArtifactMissing and Unreachable. Until everything is here and verified, only a temporary folder beside
    the target is written; a second call goes on with what that holds.
    """
    path, contents = remote_path(asked.remote_path), asked.remote_path.endswith("/")
    name = path.rpartition("/")[2]
    excludes = Excludes(asked.excludes, top="" if contents else name)
    there = _look(connection, path, excludes, ArtifactMissing)
    if there.kind == "-":
        return None
    if there.kind == "d":
        target = asked.local_path if contents else asked.local_path / name
        return _Homecoming(connection, path, there, target, on_progress).of_folder(excludes, delete=asked.delete)
    into = asked.into or asked.local_path.is_dir()
    target = asked.local_path / name if into else asked.local_path
    real = _followed(connection, path)
    folder, _, name_there = real.rpartition("/")
    found = there if real == path else _look(connection, real, excludes, ArtifactMissing)
    folder = folder or ("/" if real.startswith("/") else ".")
    return _Homecoming(connection, folder, found, target, on_progress).of_file(name_there)


def _followed(connection: Connection, path: str) -> str:
    """The file that a path leads to: a link brought home would lead to a file of this machine, or to none."""
    asked = connection.run(f"readlink -f -- {quote(path)}", timeout_s=LISTING_S)
    return os.fsdecode(asked.stdout.removesuffix(b"\n")) if asked.exit_code == 0 and asked.stdout else path


class _Homecoming:
    """One pull: fetched beside the target, verified, put in place."""

    def __init__(
        self, connection: Connection, folder: str, there: Remote, target: Path, on_progress: OnProgress
    ) -> None:
        self.connection, self.folder, self.there, self.target = connection, folder, there, target
        self.incoming = target.with_name(f".{target.name}.incoming")
        self.on_progress = on_progress or _ignore
        self.fetched_bytes = 0

    def of_folder(self, excludes: Excludes, *, delete: bool) -> Moved:
        """The target folder holds the remote one."""
        sums = self.verified(self.target.joinpath)
        self.target.mkdir(parents=True, exist_ok=True)
        for path, entry in self.there.tree.items():
            place(self.incoming / path, self.target / path, entry)
        if delete:
            prune(self.target, local_tree(self.target, excludes), self.there.tree)
        return self.moved(sums)

    def of_file(self, name: str) -> Moved:
        """The target is the remote file."""
        sums = self.verified(lambda _: self.target)
        place(self.incoming / name, self.target, self.there.tree[name])
        return self.moved(sums)

    def verified(self, final: Callable[[str], Path]) -> dict[str, str]:
        """Hash by path of all files, each equal here and there; those that differed are in the incoming folder."""
        files = {path: entry for path, entry in self.there.tree.items() if entry.kind == "f"}
        wanted = {path: entry for path, entry in files.items() if not self.is_here(path, entry, final(path))}
        for _ in range(ROUNDS):
            self.fetch(wanted)
            theirs = self.sums_there(files)
            ours = {path: sha256(first_of(self.incoming / path, final(path))) for path in files}
            wanted = {path: entry for path, entry in files.items() if ours[path] != theirs.get(path, ours[path])}
            wanted |= {path: entry for path, entry in files.items() if not ours[path]}
            if not wanted:
                return ours
        raise ArtifactMissing(
            f"{self.folder}: {len(wanted)} files differ from the pod's, {next(iter(wanted))!r} among them",
            hint="they change while they are pulled, or cannot be read",
        )

    def is_here(self, path: str, entry: Entry, final: Path) -> bool:
        """Whether nothing needs to be fetched, by size and time; the checksums are compared all the same."""
        return any(entry.same_as(local_entry(place)) for place in (self.incoming / path, final))

    def fetch(self, wanted: Tree) -> None:
        """The wanted files are in the incoming folder, as far as they could be read."""
        if not wanted:
            return
        self.incoming.mkdir(parents=True, exist_ok=True)
        self.fetched_bytes += size_of(wanted)
        if self.there.has_rsync and rsync.here():
            rsync.fetch(self.connection, self.folder, wanted, self.incoming, self.target, self.on_progress)
        else:
            tarball.fetch(self.connection, self.folder, wanted, self.incoming, self.on_progress)

    def sums_there(self, files: Tree) -> dict[str, str]:
        """Hash by path on the pod; empty where the pod has no sha256sum."""
        asked = self.connection.run(
            sums_command(self.folder), stdin=nul_list(files), timeout_s=LISTING_S, keep_bytes=ALL
        )
        return parse_sums(asked.stdout)

    def moved(self, sums: dict[str, str]) -> Moved:
        """What was moved, with the hash of the list of hashes; the incoming folder is gone."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        rows = "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
        listed = hashlib.sha256(os.fsencode(rows)).hexdigest()
        total = size_of(self.there.tree)
        return Moved(files=len(sums), bytes_total=total, bytes_transferred=self.fetched_bytes, sha256=listed)


def place(fetched: Path, final: Path, entry: Entry) -> None:
    """The entry is at its final path; what is there already and equal stays."""
    if entry.kind == "d":
        if final.is_symlink() or final.is_file():
            final.unlink()
        final.mkdir(parents=True, exist_ok=True)
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "l":
        fetched.parent.mkdir(parents=True, exist_ok=True)
        fetched.unlink(missing_ok=True)
        fetched.symlink_to(entry.target)
    if fetched.is_symlink() or fetched.exists():
        if final.is_dir() and not final.is_symlink():
            raise ArtifactMissing(f"{final} is a folder here and not on the pod", hint="move it away")
        fetched.replace(final)


def prune(root: Path, here: Tree, there: Tree) -> None:
    """What is below root and not there is gone, but for folders that still hold what was left out."""
    for path in sorted(here, reverse=True):
        if path in there:
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


def first_of(*paths: Path) -> Path:
    """The first that exists, or the last."""
    return next((path for path in paths if path.exists()), paths[-1])


def remote_path(text: str) -> str:
    """The path as the pod's shell is to see it, relative to root's home; without a slash at the end."""
    text = text.removeprefix("~/") if text != "~" else "."
    return text.rstrip("/") or ("/" if text.startswith("/") else ".")


def size_of(tree: Tree) -> int:
    """Bytes of all files."""
    return sum(entry.size for entry in tree.values())


def _look(connection: Connection, path: str, excludes: Excludes, failed: type[DeployError]) -> Remote:
    """What is at a path on the pod."""
    ended = connection.run(listing_command(path), timeout_s=LISTING_S, keep_bytes=ALL)
    if not ended.stdout:
        words = ended.stderr.decode(errors="replace").strip() or f"exit code {ended.exit_code}"
        raise failed(f"cannot list {path} on the pod: {words}")
    return Remote(*parse_listing(ended.stdout, excludes))


def _moved(here: Tree, changed: Tree) -> Moved:
    files = sum(entry.kind == "f" for entry in here.values())
    return Moved(files=files, bytes_total=size_of(here), bytes_transferred=size_of(changed))


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if name else folder


def _ignore(_bytes: int) -> None:
    """Nobody looks at the progress."""
