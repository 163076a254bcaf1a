"""A lock between the processes of one user; waiting for it ends at a signal. Knows files; knows not what they lock."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .clock import Clock

LOOK_EVERY_S = 0.05


def refuse_other_names(path: Path) -> None:
    """Raises OSError if the lock file is a link, or another file under a second name.

    filelock empties the file, and old versions do so with whatever a hard link in a folder of a stranger leads to.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise OSError(errno.EMLINK, "it is a link, or no file of its own", os.fspath(path))


@contextmanager
def locked(path: Path, clock: Clock, *, within_s: float) -> Iterator[None]:
    """No other process is in a block with this lock.

    Raises TimeoutError if another one stays in it that long, other kinds of OSError if the file cannot be made, and
    Interrupt as soon as a signal arrives.
    """
    refuse_other_names(path)
    lock = FileLock(str(path))
    deadline = clock.monotonic() + within_s
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if clock.monotonic() >= deadline:
                raise
        clock.sleep(LOOK_EVERY_S)
    try:
        yield
    finally:
        lock.release()
