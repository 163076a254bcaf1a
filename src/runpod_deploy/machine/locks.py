"""A lock between the processes of one user; waiting for it ends at a signal. Knows files; knows not what they lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .clock import Clock

LOOK_EVERY_S = 0.05


@contextmanager
def locked(path: Path, clock: Clock, *, within_s: float) -> Iterator[None]:
    """No other process is in a block with this lock.

    Raises TimeoutError if another one stays in it that long, other kinds of OSError if the file cannot be made, and
    Interrupt as soon as a signal arrives.
    """
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
