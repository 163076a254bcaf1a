"""Files into a tar stream, as fast as tar itself and with progress. Knows the format; knows no SSH.

Headers are built here and not by `tarfile`, which takes ten times as long for each of many small files.
"""

from __future__ import annotations

import os
import stat
import tarfile

from ...errors import StagingFailed
from ...machine.proc import Child
from .source import QUIET, Source
from .tree import Entry, Tree
from .values import Tally

GATHERED_BYTES = 1 << 18
SMALL_BYTES = 1 << 17
"""A file up to this size is read in one go."""
SPLICED_BYTES = 1 << 20
BLOCK = tarfile.BLOCKSIZE
TYPES = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE}
NAME_BYTES, MOST_DIGITS = 100, 1 << 33
"""Longer names and larger numbers take more than one plain header."""
REST = bytes(100) + b"ustar  \0" + bytes(BLOCK - 265)
"""The rest of a header after the type, for a file or folder: no link target, no owner's name."""
FIXED_SUM = sum(REST) + 8 * ord(" ")


class Packer:
    """A tar stream to a child process."""

    def __init__(self, child: Child, tally: Tally) -> None:
        self._child, self._tally = child, tally
        self._gathered: list[bytes] = []
        self._held = 0

    def pack(self, source: Source, entries: Tree) -> None:
        """The source's entries are in the stream.

        Raises StagingFailed, BrokenPipeError and TimeoutError, and other OSErrors where a file cannot be read.
        """
        for path, entry in entries.items():
            if entry.kind == "f":
                self._file(source, path, entry)
            else:
                self._put(header(path, entry))
        self._put(bytes(2 * BLOCK))
        self._flush()

    def _file(self, source: Source, path: str, entry: Entry) -> None:
        """Sends one file as it is right now; a file that has vanished is left out."""
        try:
            handle = source.open(path)
        except FileNotFoundError:
            return
        try:
            if entry.size > SMALL_BYTES or not self._small(handle, path, entry):
                self._large(handle, path, str(source.file(path)))
        finally:
            os.close(handle)

    def _small(self, handle: int, path: str, entry: Entry) -> bool:
        """Whether the file still has the listed size, and so is in the stream."""
        data = os.read(handle, entry.size + 1)
        if len(data) != entry.size:
            return False
        self._put(header(path, entry), data, bytes(-entry.size % BLOCK))
        self._tally.add(files=1, moved=entry.size)
        return True

    def _large(self, handle: int, path: str, source: str) -> None:
        found = os.fstat(handle)
        entry = Entry("f", stat.S_IMODE(found.st_mode), found.st_size, found.st_mtime_ns // 10**9)
        os.lseek(handle, 0, os.SEEK_SET)
        self._put(header(path, entry))
        self._flush()
        send_file(self._child, handle, entry.size, source, self._tally)
        self._put(bytes(-entry.size % BLOCK))
        self._tally.add(files=1)

    def _put(self, *pieces: bytes) -> None:
        self._gathered += pieces
        self._held += sum(map(len, pieces))
        if self._held >= GATHERED_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._child.write(b"".join(self._gathered))
        self._gathered.clear()
        self._held = 0
        self._tally.report()


def send_file(child: Child, handle: int, size: int, name: str, tally: Tally) -> None:
    """The child has `size` bytes of the open file. Raises as `pack` does."""
    left = size
    while left:
        sent = child.write_from(handle, min(left, SPLICED_BYTES))
        if not sent:
            raise StagingFailed(f"{name} became shorter while it was sent", hint=QUIET)
        left -= sent
        tally.add(moved=sent)
        tally.report()


def header(path: str, entry: Entry) -> bytes:
    """The header of an entry."""
    name = os.fsencode(path)
    if entry.kind == "l" or len(name) > NAME_BYTES or not (0 <= entry.mtime < MOST_DIGITS > entry.size):
        return _rare_header(path, entry)
    kind = TYPES[entry.kind]
    known = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0" % (
        name.ljust(NAME_BYTES, b"\0"), entry.mode, 0, 0, entry.size, entry.mtime,
    )  # fmt: skip
    return b"%s%06o\0 %s%s" % (known, sum(known) + kind[0] + FIXED_SUM, kind, REST)


def _rare_header(path: str, entry: Entry) -> bytes:
    member = tarfile.TarInfo(path)
    member.type, member.linkname = TYPES[entry.kind], entry.target
    member.mode, member.size, member.mtime = entry.mode if entry.kind != "l" else 0o777, entry.size, entry.mtime
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
