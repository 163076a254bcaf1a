"""The simulators' folders on this machine: who holds one, and what the dead left. Knows files; knows no cloud."""

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
"""Locked by the process whose id is in it, so that a process id that somebody else got later deceives nobody."""


class FolderTaken(OSError):
    """Another simulator works in the folder."""


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """The folder to work in; without one to keep, a new one that is gone afterwards. Raises FolderTaken."""
    sweep()
    root = kept.absolute() if kept else Path(tempfile.mkdtemp(prefix=PREFIX))
    root.mkdir(parents=True, exist_ok=True)
    with _held(root):
        try:
            yield root
        finally:
            if kept is None:
                wipe(root)


def sweep() -> None:
    """Nothing is left of simulators that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{HOLDER_FILE}"):
        with suppress(OSError), path.open("r+") as file:
            if path.stat().st_uid == os.geteuid() and _locks(file):
                wipe(path.parent)


@contextmanager
def _held(root: Path) -> Iterator[None]:
    path = root / HOLDER_FILE
    if path.exists():
        with path.open("r+") as file:
            if not _locks(file):
                raise FolderTaken(f"{root} is in use by process {file.read().strip()}")
    # Under its name only once it is locked: whoever finds it unlocked may sweep the folder.
    new = root / f"{HOLDER_FILE}.{os.getpid()}"
    with new.open("w") as file:
        _locks(file)
        file.write(f"{os.getpid()}\n")
        file.flush()
        new.rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _locks(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
