"""A tar stream from a pod that is not trusted: regular files and hard links, within limits.

Python's `tarfile` reads long names, pax records and sparse maps of any size into memory and calls itself for chains of
them; this reader knows only what `tar -cf` writes for files. Knows the format (POSIX ustar and pax, GNU); knows no SSH.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import ArtifactMissing
from .limits import HEADER_BYTES

BLOCK = 512
CHECKSUM = slice(148, 156)
REGULAR, HARD_LINK, SPARSE = b"\x0007", b"1", b"S"
LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL = b"L", b"K", b"x", b"g"
WITHOUT_CONTENT = b"123456"
"""Links, devices, folders and pipes: the size in their headers is not that of any content."""


class Torn(Exception):
    """The stream ends here, or what follows is no archive."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the stream."""

    path: str
    size: int
    link: str = ""
    """For a hard link, the path of the file that it is another name of."""
    usable: bool = True
    """False for devices, sparse files and everything else that is neither a file nor a hard link."""


class Source:
    """Bytes that come piece by piece, and no more than the limit."""

    def __init__(self, pieces: Iterator[bytes], limit: int) -> None:
        self._pieces, self._left = pieces, limit
        self._piece = memoryview(b"")

    def some(self, size: int) -> memoryview:
        """The next bytes, at least one and at most `size`. Raises Torn at the end, ArtifactMissing at the limit."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                raise Torn
            self._left -= len(piece)
            if self._left < 0:
                raise ArtifactMissing("the pod sends far more than it listed", hint="pull again when the job has ended")
            self._piece = memoryview(piece)
        taken, self._piece = self._piece[:size], self._piece[size:]
        return taken

    def exactly(self, size: int) -> bytes:
        """The next bytes. Raises as `some` does."""
        taken = bytes(self.some(size))
        while len(taken) < size:
            taken += self.some(size - len(taken))
        return taken


class TarReader:
    """The members of a stream. Content that the caller does not read is skipped."""

    def __init__(self, pieces: Iterator[bytes], limit: int) -> None:
        self._source = Source(pieces, limit)
        self._content, self._padding = 0, 0

    def members(self) -> Iterator[Member]:
        """Each member, until the stream ends or makes no sense. Raises ArtifactMissing at a limit."""
        # Several archives may follow each other: each ends in blocks of zeros.
        try:
            while True:
                self._skip()
                block = self._source.exactly(BLOCK)
                if block.count(0) != BLOCK:
                    yield self._member(block)
        except Torn:
            return

    def content(self) -> Iterator[memoryview]:
        """The content of the member that was read last, piece by piece. Raises Torn if the stream ends within it."""
        while self._content:
            piece = self._source.some(self._content)
            self._content -= len(piece)
            yield piece

    def _member(self, block: bytes) -> Member:
        named: dict[bytes, bytes] = {}
        while True:
            check(block)
            kind = block[156:157]
            size = number(named.get(b"size")) if b"size" in named else field_number(block[124:136])
            if kind not in (LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL):
                return self._described(block, kind, size, named)
            named |= records(kind, self._text(size))
            block = self._source.exactly(BLOCK)

    def _described(self, block: bytes, kind: bytes, size: int, named: dict[bytes, bytes]) -> Member:
        self._expect(0 if kind in WITHOUT_CONTENT else size)
        path = named.get(b"path") or plain_path(block)
        link = named.get(b"linkpath") or text(block[157:257])
        if kind == SPARSE and block[482]:
            raise Torn  # further blocks of a sparse map follow, of which no header says how many
        plain = kind in REGULAR or kind == HARD_LINK
        usable = plain and SPARSE not in named
        return Member(as_path(path), size, as_path(link) if kind == HARD_LINK else "", usable=usable)

    def _text(self, size: int) -> bytes:
        """The content of a header that names the next member. Raises ArtifactMissing if it is too long."""
        if size > HEADER_BYTES:
            raise ArtifactMissing(f"the pod sends a tar header of {size} bytes; at most {HEADER_BYTES} make sense")
        found = self._source.exactly(size + -size % BLOCK) if size else b""
        return found[:size]

    def _expect(self, size: int) -> None:
        self._content, self._padding = size, -size % BLOCK

    def _skip(self) -> None:
        """What is left of the last member has been read."""
        self._content += self._padding
        self._padding = 0
        for _ in self.content():
            pass


def check(block: bytes) -> None:
    """Raises Torn if the block is no header: its checksum counts its own field as blanks."""
    if field_number(block[CHECKSUM]) != sum(block) - sum(block[CHECKSUM]) + 8 * ord(" "):
        raise Torn


def field_number(field: bytes) -> int:
    """A number in a header: octal, or base 256 if it is too large for that. Raises Torn."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0") or b"0"
    if not digits.isdigit():
        raise Torn
    try:
        return int(digits, 8)
    except ValueError:
        raise Torn from None


def number(digits: bytes | None) -> int:
    """A number in a pax record. Raises Torn."""
    if not digits or not digits.isdigit() or len(digits) > 20:
        raise Torn
    return int(digits)


def records(kind: bytes, content: bytes) -> dict[bytes, bytes]:
    """What a header says of the next member. Raises Torn."""
    if kind == LONG_NAME:
        return {b"path": text(content)}
    if kind == LONG_LINK:
        return {b"linkpath": text(content)}
    return dict(pax_records(content)) if kind == PAX else {}


def pax_records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The `<length> <key>=<value>` records that matter here; SPARSE stands for a sparse file. Raises Torn."""
    at = 0
    while at < len(content):
        digits, _, _ = content[at : at + 8].partition(b" ")
        length = number(digits)
        key, equals, value = content[at + len(digits) + 1 : at + length].partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise Torn
        if key in (b"path", b"linkpath", b"size"):
            yield key, value[:-1]
        elif key.startswith(b"GNU.sparse"):
            yield SPARSE, b""
        at += length


def plain_path(block: bytes) -> bytes:
    """The path in a header itself; POSIX ustar has the beginning of a long one in a field of its own."""
    prefix = text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    name = text(block[:100])
    return prefix + b"/" + name if prefix else name


def text(field: bytes) -> bytes:
    """A text that ends at the first NUL."""
    return field.partition(b"\0")[0]


def as_path(name: bytes) -> str:
    """The path as listings have it."""
    return os.fsdecode(name).removeprefix("./")
