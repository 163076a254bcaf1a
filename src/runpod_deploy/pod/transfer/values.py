"""What moves between here and the pod, as values. Knows no rsync and no tar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One local file or folder to put on the pod."""

    label: str
    source: Path
    """Absolute."""
    contents: bool
    """Whether the folder's contents are meant (written with a trailing slash), not the folder itself."""
    destination: str
    """Path on the pod; its parents are made."""
    excludes: tuple[str, ...] = ()
    """rsync patterns."""
    ignored: tuple[str, ...] = ()
    """Exact paths below source to leave out, relative to it: what git ignores, our own results."""
    delete: bool = True
    """Remove what is there and not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One file or folder on the pod to bring home."""

    label: str
    remote_path: str
    """Path on the pod; with a trailing slash a folder's contents are meant."""
    local_path: Path
    """Absolute. With `into`, a folder to put it in; else the path itself."""
    into: bool = False
    """Whether local_path was written with a trailing slash."""
    excludes: tuple[str, ...] = ()
    delete: bool = False
    """Remove what is here and not there, below local_path only."""
    trusting: bool = False
    """Take what looks equal by size and time for equal, and sum only what is fetched: the job still works there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a transfer moved."""

    files: int
    """Files in the set, moved or already equal."""
    bytes_total: int
    """Their size."""
    bytes_transferred: int
    """Bytes of content that had to be sent."""
    sha256: str = ""
    """Hash of the sorted list of `<sha256>  <path>` lines of a pull; empty for a push."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer has come, of what had to be moved."""

    files: int
    bytes: int
    of_files: int
    of_bytes: int


OnProgress = Callable[[Progress], None]
"""Told first of all when it is known what has to be moved."""


class Tally:
    """Counts what has been moved, and tells."""

    def __init__(self, on_progress: OnProgress | None, *, of_files: int, of_bytes: int) -> None:
        self._on_progress = on_progress
        self._of = (of_files, of_bytes)
        self.files, self.bytes = 0, 0
        self.tell()

    def add(self, *, files: int = 0, moved: int = 0) -> None:
        """So much more has been moved."""
        self.files += files
        self.bytes += moved

    def tell(self) -> None:
        """Whoever wants to know how far it is knows it."""
        if self._on_progress:
            self._on_progress(Progress(self.files, self.bytes, *self._of))


def remote_path(text: str) -> str:
    """The path as the pod's shell is to see it, relative to root's home; without a slash at the end."""
    text = text.removeprefix("~/") if text != "~" else "."
    return text.rstrip("/") or ("/" if text.startswith("/") else ".")
