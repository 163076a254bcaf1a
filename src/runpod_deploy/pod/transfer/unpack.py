"""Files out of a tar stream, hashed as they arrive: only those that were asked for, and no longer than listed.

Knows streams and the folder to write to; knows no pod.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator

from .limits import ARCHIVE_BYTES, ARGUMENT_BYTES, ENTRY_OVERHEAD_BYTES, GROWTH_BYTES
from .place import COPY_BYTES, Place
from .tree import Entry, Tree
from .untar import Member, TarReader, Torn
from .values import Tally


class Unpacker:
    """A tar stream, into a folder."""

    def __init__(self, pieces: Iterator[bytes], into: Place, tally: Tally) -> None:
        self._pieces, self._into, self._tally = pieces, into, tally

    def unpack(self, wanted: Tree) -> dict[str, str]:
        """Hash by path of the wanted files that have arrived.

        Raises ArtifactMissing if the stream goes beyond a limit, and OSError if a file cannot be written.
        """
        reader = TarReader(self._pieces, stream_limit(wanted))
        arrived: dict[str, str] = {}
        try:
            for member in reader.members():
                if member.usable and member.path in wanted and member.path not in arrived:
                    arrived |= self._keep(reader, member, wanted, arrived)
        except Torn:
            pass  # what has arrived shows how far it came
        return arrived

    def _keep(self, reader: TarReader, member: Member, wanted: Tree, arrived: dict[str, str]) -> dict[str, str]:
        path, entry = member.path, wanted[member.path]
        if not member.link:
            return {path: self._write(reader, member, entry)}
        if member.link not in arrived or wanted[member.link].size != entry.size:
            return {}
        self._copy(path, entry, member.link)
        return {path: arrived[member.link]}

    def _write(self, reader: TarReader, member: Member, entry: Entry) -> str:
        """The hash of the file, which is here. Of a file that has grown since it was listed, the rest is dropped."""
        if member.size > entry.size + GROWTH_BYTES:
            raise Torn
        left, digest = entry.size, hashlib.sha256()
        handle = self._into.create_file(member.path)
        try:
            for piece in reader.content():
                kept = piece[:left]
                left -= len(kept)
                digest.update(kept)
                write_all(handle, kept)
                self._tally.add(moved=len(kept))
            finish(handle, entry)
        finally:
            os.close(handle)
        self._tally.add(files=1)
        return digest.hexdigest()

    def _copy(self, path: str, entry: Entry, first: str) -> None:
        """Another name of a file that has arrived becomes a file of its own here."""
        handle = self._into.create_file(path)
        with os.fdopen(handle, "wb") as copy, os.fdopen(self._into.open_file(first), "rb") as source:
            shutil.copyfileobj(source, copy, COPY_BYTES)
            copy.flush()
            finish(copy.fileno(), entry)
        self._tally.add(files=1, moved=entry.size)


def stream_limit(wanted: Tree) -> int:
    """The most bytes that a tar stream of these files can have."""
    paths = sum(len(os.fsencode(path)) + 3 for path in wanted)
    content = sum(entry.size for entry in wanted.values())
    archives = 1 + paths // ARGUMENT_BYTES
    return content + ENTRY_OVERHEAD_BYTES * len(wanted) + 2 * paths + ARCHIVE_BYTES * archives + GROWTH_BYTES


def write_all(handle: int, data: bytes | memoryview) -> None:
    """All of the data is in the file."""
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def finish(handle: int, entry: Entry) -> None:
    """The file has the entry's mode and time."""
    os.fchmod(handle, entry.mode)
    os.utime(handle, (entry.mtime, entry.mtime))
