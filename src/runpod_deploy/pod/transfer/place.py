"""A local folder that is reached by handles: nothing below it is ever reached through a link.

The only module that changes files here on behalf of a pod. It opens each folder relative to the one above and refuses
links, so that neither a name from a pod nor a link in the folder leads out of it. Knows the local disk; knows no pod.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ...errors import ArtifactMissing
from ...machine.signals import checkpoint
from .excludes import Excludes
from .limits import shown
from .tree import Entry, Tree, entry_of

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
COPY_BYTES = 1 << 20


class Place:
    """An open folder. Paths are relative to it, with `/` between the names."""

    def __init__(self, handle: int) -> None:
        """Takes over the handle of a folder."""
        self._top = handle
        # The folder that was used last: the files of a folder come one after the other.
        self._last = ("", handle)

    @classmethod
    def at(cls, path: Path) -> Place:
        """The folder at a path of the user's, in which links are followed."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY))

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """No handle is open."""
        self._forget()
        os.close(self._top)

    def below(self, path: str) -> Place:
        """A folder below this one. Raises OSError if it is a link or no folder."""
        # Opened anew and not duplicated: locks belong to what was opened.
        return Place(os.open(".", FOLDER, dir_fd=self.folder(path)))

    def entry(self, path: str) -> Entry | None:
        """The file, folder or link there; None if there is none, or if the way to it leads through a link."""
        folder, _, name = path.rpartition("/")
        try:
            return entry_of(name, self.folder(folder))
        except OSError:
            return None

    def tree(self, excludes: Excludes) -> Tree:
        """All entries below, parents before their children."""
        tree: Tree = {}
        ahead = [""]
        while ahead:
            below = ahead.pop()
            for name, entry in self._entries(below):
                path = f"{below}/{name}" if below else name
                if not (excludes and excludes.leave_out(path, entry.kind == "d")):
                    tree[path] = entry
                    ahead += [path] if entry.kind == "d" else []
        return tree

    def open_file(self, path: str) -> int:
        """A handle to read a file. Raises OSError if it is no regular file."""
        folder, _, name = path.rpartition("/")
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.folder(folder))
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        raise OSError(f"{shown(path)} is no regular file here")

    def extend_file(self, path: str) -> int:
        """A handle to append to a file, which only its owner can read. Raises OSError if it is no regular file."""
        os.close(self.open_file(path))
        folder, _, name = path.rpartition("/")
        os.chmod(name, 0o600, dir_fd=self.folder(folder))
        return os.open(name, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW, dir_fd=self.folder(folder))

    def create_file(self, path: str) -> int:
        """A handle to write a new file, which only its owner can read. An older file or link is replaced."""
        folder, _, name = path.rpartition("/")
        parent = self.make_folder(folder)
        try:
            return os.open(name, NEW_FILE, 0o600, dir_fd=parent)
        except FileExistsError:
            os.unlink(name, dir_fd=parent)
            return os.open(name, NEW_FILE, 0o600, dir_fd=parent)

    def make_folder(self, path: str) -> int:
        """The handle of the folder, which exists. Files and links in its way are replaced."""
        with suppress(OSError):
            return self.folder(path)
        above, _, name = path.rpartition("/")
        parent = self.make_folder(above)
        found = entry_of(name, parent)
        if found is not None and found.kind != "d":
            os.unlink(name, dir_fd=parent)
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        return self.folder(path)

    def make_link(self, path: str, target: str) -> None:
        """The link is there. Raises ArtifactMissing if a folder is in its way."""
        folder, _, name = path.rpartition("/")
        parent = self.make_folder(folder)
        found = entry_of(name, parent)
        if found is not None and found.kind == "d":
            raise folder_in_the_way(path)
        if found is not None and (found.kind, found.target) == ("l", target):
            return
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=parent)
        os.symlink(target, name, dir_fd=parent)

    def move_in(self, source: Place, source_path: str, path: str) -> bool:
        """Whether the source has that entry, which is here now. Raises ArtifactMissing if a folder is in its way."""
        above, _, source_name = source_path.rpartition("/")
        folder, _, name = path.rpartition("/")
        try:
            # The source's handle first: making our folder cannot close it.
            from_folder = source.folder(above)
            os.rename(source_name, name, src_dir_fd=from_folder, dst_dir_fd=self.make_folder(folder))
        except FileNotFoundError:
            return False
        except IsADirectoryError:
            raise folder_in_the_way(path) from None
        return True

    def copy_in(self, source: Place, source_path: str, path: str) -> None:
        """The file is here as a copy of the source's."""
        with os.fdopen(source.open_file(source_path), "rb") as old, os.fdopen(self.create_file(path), "wb") as new:
            shutil.copyfileobj(old, new, COPY_BYTES)

    def make_private_folder(self, name: str) -> None:
        """A new folder directly below, which only its owner can enter."""
        os.mkdir(name, 0o700, dir_fd=self._top)

    def private_folders(self, prefix: str) -> list[str]:
        """The names of folders directly below that begin so, and which only this user can enter."""
        found = [(name, os.lstat(name, dir_fd=self._top)) for name in self._names() if name.startswith(prefix)]
        ours = (stat.S_IFDIR | 0o700, os.geteuid())
        return sorted(name for name, of in found if (of.st_mode, of.st_uid) == ours)

    def lock(self) -> bool:
        """Whether this process alone works in this folder now, until it closes it."""
        try:
            fcntl.flock(self._top, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks
        return True

    def remove(self, path: str) -> None:
        """No file or link is there. Raises OSError for a folder."""
        folder, _, name = path.rpartition("/")
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(name, dir_fd=self.folder(folder))

    def remove_if_empty(self, path: str) -> None:
        """The folder is gone, unless something is in it."""
        folder, _, name = path.rpartition("/")
        with suppress(OSError):
            os.rmdir(name, dir_fd=self.folder(folder))

    def remove_tree(self, name: str) -> None:
        """The folder of that name directly below is gone, as far as it can be removed."""
        self._forget()
        shutil.rmtree(name, ignore_errors=True, dir_fd=self._top)

    def prune(self, here: Tree, kept: Collection[str]) -> None:
        """Entries that are not to be kept are gone, except for folders that are not empty."""
        for path in sorted(here, reverse=True):
            if path in kept:
                continue
            if here[path].kind != "d":
                self.remove(path)
            else:
                self.remove_if_empty(path)

    def sha256(self, path: str) -> str:
        """The hash of a file; empty if it cannot be read."""
        try:
            with os.fdopen(self.open_file(path), "rb") as file:
                digest = hashlib.sha256()
                while data := file.read(COPY_BYTES):
                    checkpoint()  # a large file takes minutes
                    digest.update(data)
                return digest.hexdigest()
        except OSError:
            return ""

    def folder(self, path: str) -> int:
        """The handle of a folder, open until the next call. Raises OSError if it is a link or no folder."""
        if path == self._last[0]:
            return self._last[1]
        self._forget()
        handle = self._top
        for name in path.split("/") if path else ():
            try:
                below = os.open(name, FOLDER, dir_fd=handle)
            finally:
                if handle != self._top:
                    os.close(handle)
            handle = below
        self._last = (path, handle)
        return handle

    def _names(self) -> list[str]:
        return os.listdir(self._top)  # noqa: PTH208

    def _entries(self, folder: str) -> list[tuple[str, Entry]]:
        try:
            handle = self.folder(folder)
        except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
            return []
        found = ((name, entry_of(name, handle)) for name in os.listdir(handle))  # noqa: PTH208
        return [(name, entry) for name, entry in found if entry is not None]

    def _forget(self) -> None:
        """No handle but that of the top is open."""
        path, handle = self._last
        self._last = ("", self._top)
        if path:
            os.close(handle)


def folder_in_the_way(path: str) -> ArtifactMissing:
    """The error for a folder where a file or link should be: it may hold files of the user's."""
    return ArtifactMissing(f"{shown(path)} is a folder here and not on the pod", hint="move it away")
