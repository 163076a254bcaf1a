"""Files as bytes, in blocks of whole lines. Memory stays flat, however long files and lines are."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..machine.limits import LONGEST_ROW_BYTES, ROWS_BYTES
from ..machine.reading import open_regular

Bytes = bytes | bytearray
BLOCK_BYTES = 1 << 18
NO_JSON = 0xFF
"""It takes the place of a line of LONGEST_ROW_BYTES or more, so that the line is reported as unreadable."""


def new_buffer() -> bytearray:
    """The memory for blocks, used again for each block and file: fresh memory takes longer than reading."""
    return bytearray(BLOCK_BYTES)


def blocks(path: str, buffer: bytearray) -> Iterator[int]:
    """Reads a file block by block. Each item is the end of the whole lines that the buffer holds at that moment.

    Raises OSError.
    """
    handle = open_regular(path, ROWS_BYTES)
    filled = 0
    try:
        while count := read_into(handle, buffer, filled):
            end = buffer.rfind(b"\n", filled, filled + count) + 1
            filled += count
            if end:
                yield end
                buffer[: filled - end] = buffer[end:filled]
                filled -= end
            elif filled == len(buffer):
                filled = make_room(buffer)
        if filled:
            yield filled
    finally:
        os.close(handle)


def read_into(handle: int, buffer: bytearray, start: int) -> int:
    """The number of bytes that were read into the buffer, from that place on."""
    with memoryview(buffer) as content, content[start:] as rest:
        return os.readv(handle, [rest])


def make_room(buffer: bytearray) -> int:
    """Makes room for the rest of a line that fills the whole buffer. Returns how much of the buffer is in use."""
    if len(buffer) < LONGEST_ROW_BYTES:
        buffer.extend(bytes(len(buffer)))
        return len(buffer) // 2
    buffer[0] = NO_JSON
    return 1


def lines_in(path: str) -> Iterator[bytes]:
    """The lines of a file, without their line ends. Raises OSError."""
    buffer = new_buffer()
    for end in blocks(path, buffer):
        *whole, rest = bytes(buffer[:end]).split(b"\n")
        yield from whole
        if rest:
            yield rest
