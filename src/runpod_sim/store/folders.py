"""The simulators' folders on this machine: locks, and clean-up after killed ones. Knows files; knows no cloud."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..containers.sandbox import wipe

PREFIX = "runpod-sim-"
HOLDER_FILE = "pid"
"""Locked by the process whose id is in it; the id alone proves nothing, since another process may get it later."""


class FolderTaken(OSError):
    """Another simulator works in the folder."""


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """The folder to work in: the kept one, or a temporary one that is deleted afterwards. Raises FolderTaken."""
    sweep()
    root = kept.absolute() if kept else Path(tempfile.mkdtemp(prefix=PREFIX))
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        try:
            yield root
        finally:
            if kept is None:
                wipe(root)


def sweep() -> None:
    """Nothing is left of simulators that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{HOLDER_FILE}"):
        with suppress(OSError), path.open("r+") as file:
            if path.stat().st_uid == os.geteuid() and _try_lock(file):
                wipe(path.parent)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    path = root / HOLDER_FILE
    if path.exists():
        with path.open("r+") as file:
            if not _try_lock(file):
                raise FolderTaken(f"{root} is in use by process {file.read().strip()}")
    # It gets its name only once it is locked, because a sweep deletes folders whose file is not locked.
    new = root / f"{HOLDER_FILE}.{os.getpid()}"
    with new.open("w") as file:
        _try_lock(file)
        file.write(f"{os.getpid()}\n")
        file.flush()
        new.rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
