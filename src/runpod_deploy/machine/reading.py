"""Files that may come from elsewhere, read within bounds: regular files only, and so many bytes. Knows no content.

A run folder or a checkout may be a stranger's, and a file of it a link to a device that never ends, a pipe that nobody
writes to, or gigabytes of nothing.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BY_NUMBER = ("/dev/stdin", "/dev/fd/")
"""The paths of open files of a command: only its user can have named them, not a folder that somebody sent."""


SKIPPED_PIECES = 4
"""How many times the longest line the rest of one may be that is passed over. A file of nothing has no end of it."""


def open_regular(path: Path | str, most: int | None = None, folder: int | None = None) -> int:
    """A handle for reading a file, which is a regular one and has at most this many bytes. Raises OSError.

    A link to a device or a pipe could be read for ever, so it is refused, and a pipe's writer is not waited for. Only
    a pipe that somebody names by its number, such as /dev/stdin, is read. The path may be relative to an open folder.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK, dir_fd=folder)
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if stat.S_ISFIFO(found.st_mode) and str(path).startswith(BY_NUMBER):
            os.set_blocking(handle, True)
        elif not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if most is not None and found.st_size > most:
            raise too_large(path, most)
    except BaseException:
        os.close(handle)
        raise
    return handle


def read_limited(path: Path | str, most: int, folder: int | None = None) -> bytes:
    """The content of a regular file, as long as it is when it is opened. Raises OSError, also for more bytes."""
    with os.fdopen(open_regular(path, most, folder), "rb") as file:
        content = file.read(os.fstat(file.fileno()).st_size or most + 1)  # a pipe has no size
    if len(content) > most:
        raise too_large(path, most)
    return content


def read_end(path: Path | str, most: int) -> bytes:
    """The last bytes of a regular file, at most this many. Raises OSError."""
    with os.fdopen(open_regular(path), "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        return file.read(most)


def read_lines(path: Path | str, longest: int, instead: bytes | None = None) -> Iterator[bytes]:
    """The lines of a regular file, with their line ends; `instead` takes the place of a line of more bytes.

    Raises OSError, also at a longer line if nothing takes its place or if it is far longer.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        while line := file.readline(longest + 1):
            if len(line) <= longest:
                yield line
            elif instead is None:
                raise too_large(path, longest, "one of its lines")
            else:
                yield instead + (b"\n" if line.endswith(b"\n") else rest_of_line(file, longest))


def rest_of_line(file: BinaryIO, piece: int) -> bytes:
    """The line end at which the file is now; empty if it ends without one. Raises OSError if it is too far away."""
    for _ in range(SKIPPED_PIECES):
        if (rest := file.readline(piece)).endswith(b"\n"):
            return b"\n"
        if not rest:
            return b""
    raise too_large(file.name, piece * SKIPPED_PIECES, "one of its lines")


def too_large(path: Path | str, most: int, what: str = "it") -> OSError:
    """The error for a file that nobody has written in good faith."""
    return OSError(errno.EFBIG, f"{what} is larger than {most:,} bytes", str(path))
