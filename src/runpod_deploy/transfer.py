"""Puts folders on the pod and brings them home: looks at both sides, moves the difference, checks the result.

Knows trees and their difference; how bytes travel is `carry`'s. The same rules hold for rsync and for tar.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from . import carry, proc
from .errors import ArtifactMissing, StagingFailed
from .patterns import Excludes
from .shell import quoted_path
from .ssh import Connection
from .transfers import Moved, Pull, Push
from .tree import Entry, Tree, entry, kept, local_tree, reach, remote_tree

OnProgress = Callable[[int], None] | None
TRIES = 3
REMOVE_TIMEOUT_S = 300.0
HASH_TIMEOUT_S = 3600.0
# Distributed file systems of pods hiccup (MooseFS: stale handles, EIO); the same call works a moment later.
PASSING = ("Input/output error", "Stale file handle", "Resource temporarily unavailable")
SUM_LINE = re.compile(rb"^\\?([0-9a-f]{64}) [ *]", re.MULTILINE)
REMOVE = """xargs -0 sh -c 'for p; do
    if [ -d "$p" ] && [ ! -L "$p" ]; then rmdir -- "$p" 2>/dev/null || :; else rm -f -- "$p"; fi
done' sh"""


def push(connection: Connection, ask: Push, on_progress: OnProgress = None) -> Moved:
    """The pod's side equals the local one. Raises StagingFailed, SshLost."""
    for left in reversed(range(TRIES)):
        try:
            return push_once(connection, ask, on_progress or carry.nothing)
        except StagingFailed as error:
            if not left or not any(sign in error.message for sign in PASSING):
                raise StagingFailed(f"staging {ask.label}: {error.message}", hint=error.hint) from error
    raise AssertionError("the last try returns or raises")


def push_once(connection: Connection, ask: Push, on_progress: carry.Progress) -> Moved:
    """One try at it."""
    if not ask.source.is_dir():
        return push_file(connection, ask)
    target = ask.destination if ask.contents else posixpath.join(ask.destination, ask.source.name)
    prefix = "" if ask.contents else f"{ask.source.name}/"
    _, there_is_rsync = reach(connection, target)
    excludes, ignored = Excludes(ask.excludes), frozenset(ask.ignored)
    here = kept(local_tree(ask.source), excludes, prefix, ignored)
    there = kept(remote_tree(connection, target), excludes, prefix, ignored)
    doomed = [path for path in there if stale(path, here, there, delete=ask.delete)]
    if doomed:
        remove(connection, target, doomed)
    fresh = [path for path, one in here.items() if not one.same(there.get(path))]
    if fresh or not there:
        dispatch(connection, ask.source, fresh, target, on_progress, by_rsync=there_is_rsync)
    return moved(here, fresh)


def stale(path: str, here: Tree, there: Tree, *, delete: bool) -> bool:
    """Whether a path on the other side must go: it is not here, or it is of another kind here."""
    one = here.get(path)
    return delete if one is None else one.kind != there[path].kind


def dispatch(
    connection: Connection, root: Path, fresh: list[str], target: str, on_progress: carry.Progress, *, by_rsync: bool
) -> None:
    """The fresh paths are on the pod."""
    if by_rsync and proc.found("rsync"):
        made = connection.run(f"mkdir -p -- {quoted_path(target)}", timeout_s=REMOVE_TIMEOUT_S)
        if made.exit_code:
            raise StagingFailed(f"cannot make {target}: {made.stderr.decode(errors='replace').strip()}")
        carry.rsync(connection, fresh, f"{root}/", carry.on_pod(target), on_progress)
    else:
        carry.send(connection, root, fresh, target, on_progress)


def remove(connection: Connection, root: str, paths: list[str]) -> None:
    """The paths below the pod's root are gone, the deepest first; a folder that still holds something stays."""
    deepest_first = sorted(paths, key=lambda path: path.count("/"), reverse=True)
    names = b"".join(os.fsencode(f"./{path}") + b"\0" for path in deepest_first)
    done = connection.run(f"cd -- {quoted_path(root)} && {REMOVE}", stdin=names, timeout_s=REMOVE_TIMEOUT_S)
    if done.exit_code:
        raise StagingFailed(f"cannot remove files below {root}: {done.stderr.decode(errors='replace').strip()}")


def push_file(connection: Connection, ask: Push) -> Moved:
    """One file is on the pod: at the destination, or in it if that is a folder or ends with a slash."""
    kind, _ = reach(connection, ask.destination)
    into = ask.destination.endswith("/") or kind == "folder"
    target = posixpath.join(ask.destination, ask.source.name) if into else ask.destination
    one = entry(ask.source.stat())
    if file_there(connection, target) != (one.size, one.mtime):
        send_file(connection, ask.source, one, target)
        return Moved(files=1, bytes_total=one.size, bytes_transferred=one.size)
    return Moved(files=1, bytes_total=one.size, bytes_transferred=0)


def file_there(connection: Connection, target: str) -> tuple[int, int] | None:
    """Size and time of a file on the pod, None if there is none."""
    asked = connection.run(f"stat -c '%s %Y' -- {quoted_path(target)} 2>/dev/null", timeout_s=REMOVE_TIMEOUT_S)
    figures = asked.stdout.split()
    return (int(figures[0]), int(figures[1])) if len(figures) == 2 else None


def send_file(connection: Connection, source: Path, one: Entry, target: str) -> None:
    """The file is on the pod, whole, with mode and time."""
    path, part = quoted_path(target), quoted_path(f"{target}.part")
    command = (
        f'mkdir -p -- "$(dirname -- {path})" && cat > {part} && chmod {one.mode:o} {part} '
        f"&& touch -d @{one.mtime} {part} && mv -f -- {part} {path}"
    )
    with connection.spawn(command) as child, source.open("rb") as file:
        try:
            while data := file.read(carry.CHUNK_BYTES):
                child.write(data, carry.STALL_S)
        except BrokenPipeError:
            pass
        child.close_stdin()
        carry.check_remote(connection, child, f"writing {target}")


def moved(tree: Tree, fresh: list[str], sha256: str = "") -> Moved:
    """The figures of a transfer."""
    files = [path for path, one in tree.items() if one.kind != "folder"]
    sent = sum(tree[path].size for path in fresh if tree[path].kind == "file")
    total = sum(tree[path].size for path in files)
    return Moved(files=len(files), bytes_total=total, bytes_transferred=sent, sha256=sha256)


def pull(connection: Connection, ask: Pull, on_progress: OnProgress = None) -> Moved | None:
    """The local side holds the pod's, verified; None if there is nothing there. Raises ArtifactMissing, SshLost."""
    kind, there_is_rsync = reach(connection, ask.remote_path)
    if kind == "nothing":
        return None
    name = posixpath.basename(ask.remote_path.rstrip("/"))
    if kind == "folder":
        contents = ask.remote_path.endswith("/")
        job = Homecoming(
            ask.remote_path, ask.local_path if contents else ask.local_path / name, "" if contents else f"{name}/"
        )
    else:
        into = ask.into or ask.local_path.is_dir()
        target = ask.local_path / name if into else ask.local_path
        job = Homecoming(posixpath.dirname(ask.remote_path) or "/", target.parent, "", only=name, rename=target.name)
    try:
        return job.carry_out(connection, ask, on_progress or carry.nothing, by_rsync=there_is_rsync)
    except (StagingFailed, OSError) as error:
        raise ArtifactMissing(f"pulling {ask.label}: {error}") from error


class Homecoming:
    """One folder, or one file of a folder, on its way home: fetched beside its place, checked, moved into it."""

    def __init__(self, root: str, base: Path, prefix: str, *, only: str = "", rename: str = "") -> None:
        self.root = root
        self.base = base
        self.prefix = prefix
        self.only = only
        self.rename = rename
        self.part = base / f".{rename}.part" if only else base.with_name(f".{base.name}.part")

    def carry_out(self, connection: Connection, ask: Pull, on_progress: carry.Progress, *, by_rsync: bool) -> Moved:
        """The figures, once all is here. Raises StagingFailed if it cannot be had whole."""
        excludes = Excludes(ask.excludes)
        for _ in range(TRIES):
            there = self.look(connection, excludes)
            here = self.looked_here(excludes)
            fresh = [path for path, one in there.items() if not one.same(here.get(path))]
            self.fetch(connection, fresh, there, on_progress, by_rsync=by_rsync)
            sums, wrong = self.verify(connection, there, set(fresh))
            if not wrong:
                self.install(there, fresh, ask, here)
                return moved(there, fresh, digest(sums))
        raise StagingFailed(f"{len(wrong)} files change while they are pulled, {wrong[0]} among them")

    def look(self, connection: Connection, excludes: Excludes) -> Tree:
        """What is on the pod."""
        tree = remote_tree(connection, self.root) if not self.only else one_file(connection, self.root, self.only)
        return kept(tree, excludes, self.prefix)

    def looked_here(self, excludes: Excludes) -> Tree:
        """What is in place already."""
        if self.only:
            path = self.base / self.rename
            return {self.only: entry(path.lstat())} if path.is_file() else {}
        return kept(local_tree(self.base), excludes, self.prefix)

    def place(self, path: str) -> Path:
        """Where a path belongs."""
        return self.base / (self.rename if self.only else path)

    def fetch(
        self, connection: Connection, fresh: list[str], there: Tree, on_progress: carry.Progress, *, by_rsync: bool
    ) -> None:
        """The fresh paths are beside their place; what an earlier try left there is not fetched again."""
        self.part.mkdir(parents=True, exist_ok=True)
        earlier = local_tree(self.part)
        missing = [path for path in fresh if not there[path].same(earlier.get(path))]
        if not missing:
            return
        if by_rsync and proc.found("rsync"):
            source = carry.on_pod(self.root.rstrip("/"))
            carry.rsync(connection, missing, source, f"{self.part}/", on_progress, follow=bool(self.only))
        else:
            carry.fetch(connection, self.root, missing, self.part, on_progress, follow=bool(self.only))

    def verify(self, connection: Connection, there: Tree, fresh: set[str]) -> tuple[dict[str, str], list[str]]:
        """Checksums of all files, and the paths where the two sides differ; what differs is fetched again."""
        files = [path for path, one in there.items() if one.kind == "file"]
        sums = remote_sums(connection, self.root, files)
        wrong = []
        for path in files:
            copy = self.part / path if path in fresh else self.place(path)
            # A fresh copy that is wrong is thrown away; one in place is made to look old. Both are fetched again.
            if not copy.is_file() or file_sum(copy) != sums.get(path):
                wrong.append(path)
                copy.unlink(missing_ok=True) if path in fresh else os.utime(copy, (0, 0))
        return sums, wrong

    def install(self, there: Tree, fresh: list[str], ask: Pull, here: Tree) -> None:
        """All is in its place, and with `delete` nothing else is."""
        self.base.mkdir(parents=True, exist_ok=True)
        for path in fresh:
            put_in_place(self.part / path, self.place(path), there[path])
        shutil.rmtree(self.part, ignore_errors=True)
        if ask.delete and not self.only:
            for path in sorted(set(here) - set(there), key=lambda path: path.count("/"), reverse=True):
                discard(self.base / path)


def put_in_place(part: Path, place: Path, one: Entry) -> None:
    """The part is at its place, replacing what was there in one step where the system can."""
    if one.kind == "folder":
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink()
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    part.replace(place)


def discard(path: Path) -> None:
    """The file, link or empty folder is gone."""
    if path.is_dir() and not path.is_symlink():
        if not any(path.iterdir()):
            path.rmdir()
    else:
        path.unlink(missing_ok=True)


def one_file(connection: Connection, root: str, name: str) -> Tree:
    """A tree of one file; what a link leads to counts as the file."""
    path = quoted_path(posixpath.join(root, name))
    asked = connection.run(f"stat -L -c '%s %Y %a' -- {path}", timeout_s=REMOVE_TIMEOUT_S)
    figures = asked.stdout.split()
    if len(figures) != 3:
        return {}
    return {name: Entry("file", int(figures[0]), int(figures[1]), int(figures[2], 8))}


def remote_sums(connection: Connection, root: str, paths: list[str]) -> dict[str, str]:
    """SHA-256 of files below the pod's root, by path. Raises StagingFailed, SshLost."""
    if not paths:
        return {}
    names = b"".join(os.fsencode(f"./{path}") + b"\0" for path in paths)
    command = f"cd -- {quoted_path(root)} && xargs -0 sha256sum -- 2>/dev/null"
    said = carry.whole_output(connection, command, names, timeout_s=HASH_TIMEOUT_S)
    found = [line.decode() for line in SUM_LINE.findall(said)]
    if len(found) != len(paths):
        raise StagingFailed("files vanished while they were pulled, or the pod has no sha256sum")
    return dict(zip(paths, found, strict=True))


def file_sum(path: Path) -> str:
    """SHA-256 of a local file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(sums: dict[str, str]) -> str:
    """SHA-256 of the sorted list of `<sha256>  <path>` lines."""
    lines = "".join(f"{value}  {path}\n" for path, value in sorted(sums.items()))
    return hashlib.sha256(os.fsencode(lines)).hexdigest()
