"""Files as bytes: as a whole, or as blocks of whole lines in flat memory, however long files and lines are."""

from __future__ import annotations

import os
from collections.abc import Iterator

Bytes = bytes | bytearray
BLOCK_BYTES = 1 << 18
LONGEST_LINE_BYTES = 1 << 24
"""Nobody writes rows of that length: of such a line only a mark is kept, which is no JSON."""
NO_JSON = 0xFF


def open_to_read(path: str) -> int:
    """A handle to read the file by. Raises OSError.

    A pipe that bears the name of a record is empty and not waited for, unless somebody is about to write into it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(handle, True)
    return handle


def read_whole(path: str) -> bytes:
    """All of a file. Raises OSError."""
    with os.fdopen(open_to_read(path), "rb", buffering=0) as file:
        return file.readall()


def new_buffer() -> bytearray:
    """What blocks are read into, one after another and file after file: fresh memory costs more than reading does."""
    return bytearray(BLOCK_BYTES)


def blocks(path: str, buffer: bytearray) -> Iterator[int]:
    """Where each block of whole lines ends that the buffer holds now; the file's last line may lack its end.

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
    """How many bytes of the file are in the buffer now, from there on."""
    with memoryview(buffer) as content, content[start:] as rest:
        return os.readv(handle, [rest])


def make_room(buffer: bytearray) -> int:
    """How much of the buffer is filled, once there is room for the rest of a line that fills it all."""
    if len(buffer) < LONGEST_LINE_BYTES:
        buffer.extend(bytes(len(buffer)))
        return len(buffer) // 2
    buffer[0] = NO_JSON
    return 1


def lines_in(path: str) -> Iterator[bytes]:
    """The lines of a file, without their ends. Raises OSError."""
    buffer = new_buffer()
    for end in blocks(path, buffer):
        *whole, rest = bytes(buffer[:end]).split(b"\n")
        yield from whole
        if rest:
            yield rest
