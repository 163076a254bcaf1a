"""What moves between here and the pod, as values. Knows no rsync and no tar."""

from __future__ import annotations

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
