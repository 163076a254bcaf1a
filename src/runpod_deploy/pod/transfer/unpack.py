"""Files out of a tar stream: only those that were asked for, hashed as they come. Knows streams; knows no pod."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from .tree import Entry, Tree
from .values import Tally

PIECE_BYTES = 1 << 20


class Pieces:
    """What `tarfile` reads from: bytes that come piece by piece."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _size: int) -> bytes:
        """The next bytes, as many as there are; b"" at the end."""
        return next(self._pieces, b"")


class Unpacker:
    """A tar stream, into a folder."""

    def __init__(self, pieces: Iterator[bytes], into: Path, tally: Tally) -> None:
        self._source, self._into, self._tally = Pieces(pieces), into, tally
        self._folders: set[Path] = set()

    def unpack(self, wanted: Tree) -> dict[str, str]:
        """Hash by path of the wanted files that have come. Raises OSError where they cannot be kept."""
        come: dict[str, str] = {}
        try:
            # Several archives may follow each other: each ends in zeros.
            with tarfile.open(fileobj=self._source, mode="r|", ignore_zeros=True) as tar:  # type: ignore[call-overload]
                for member in tar:
                    path = member.name.removeprefix("./")
                    if path in wanted:
                        come |= self._member(tar, member, path, wanted[path], come)
        except tarfile.ReadError:
            pass  # torn, or no archive: what has come tells
        return come

    def _member(
        self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, entry: Entry, come: dict[str, str]
    ) -> dict[str, str]:
        first = member.linkname.removeprefix("./")
        if member.isreg():
            return {path: self._keep(tar, member, path, entry)}
        return {path: self._copy(path, entry, first, come[first])} if member.islnk() and first in come else {}

    def _keep(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, entry: Entry) -> str:
        content, digest = tar.extractfile(member), hashlib.sha256()
        assert content is not None
        handle = self._opened(path)
        try:
            while data := content.read(PIECE_BYTES):
                digest.update(data)
                write_all(handle, data)
                self._tally.add(moved=len(data))
            finish(handle, entry)
        finally:
            os.close(handle)
        self._tally.add(files=1)
        return digest.hexdigest()

    def _copy(self, path: str, entry: Entry, first: str, digest: str) -> str:
        """A further name of a file that has come is a file of its own here."""
        with os.fdopen(self._opened(path), "wb") as copy, (self._into / first).open("rb") as source:
            shutil.copyfileobj(source, copy)
            copy.flush()
            finish(copy.fileno(), entry)
        self._tally.add(files=1, moved=entry.size)
        return digest

    def _opened(self, path: str) -> int:
        """The file, new and empty, its owner's alone until it is whole."""
        target = self._into / path
        if target.parent not in self._folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(target.parent)
        target.unlink(missing_ok=True)
        return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def write_all(handle: int, data: bytes) -> None:
    """All of the data is in the file."""
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def finish(handle: int, entry: Entry) -> None:
    """The file has the entry's mode and time."""
    os.fchmod(handle, entry.mode)
    os.utime(handle, (entry.mtime, entry.mtime))
