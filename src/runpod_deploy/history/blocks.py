"""Files as bytes: whole, or in blocks of whole lines. Memory stays flat, however long files and lines are."""

from __future__ import annotations

import os
from collections.abc import Iterator

Bytes = bytes | bytearray
BLOCK_BYTES = 1 << 18
LONGEST_ROW_BYTES = 1 << 24
"""Rows are shorter than this. A longer line is replaced by NO_JSON, so that it is reported as unreadable."""
NO_JSON = 0xFF


def open_to_read(path: str) -> int:
    """A handle for reading the file. Raises OSError.

    A pipe in place of a file is read as empty, and is not waited for, unless a process is writing to it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(handle, True)
    return handle


def read_whole(path: str) -> bytes:
    """The content of a file. Raises OSError."""
    with os.fdopen(open_to_read(path), "rb", buffering=0) as file:
        return file.readall()


def new_buffer() -> bytearray:
    """The memory for blocks, used again for each block and file: fresh memory takes longer than reading."""
    return bytearray(BLOCK_BYTES)


def blocks(path: str, buffer: bytearray) -> Iterator[int]:
    """Reads a file block by block. Each item is the end of the whole lines that the buffer holds at that moment.

    Raises OSError.
    """
    handle = open_to_read(path)
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
