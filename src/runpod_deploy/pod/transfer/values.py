"""Transfers as values: what to upload or download, and how far it is. Knows no rsync and no tar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TOOL_FOLDER = ".runpod-deploy"
"""The name of the tool's own folder on a pod, wherever it is: no upload writes into it or removes anything there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One upload: a local file or folder to put on the pod."""

    label: str
    source: Path
    """Absolute."""
    contents: bool
    """Whether to send the folder's contents (the source ends with a slash) and not the folder itself."""
    destination: str
    """Path on the pod. Missing parents are created."""
    excludes: tuple[str, ...] = ()
    """rsync patterns."""
    ignored: tuple[str, ...] = ()
    """Exact paths below the source to leave out, relative to it: files that git ignores, and the results of runs."""
    delete: bool = True
    """Whether to remove files that are on the pod and not here."""
    follow_links: bool = False
    """Whether what links point to is sent, if they lead out of the source."""
    kept: tuple[str, ...] = ()
    """Paths on the pod that are not removed all the same, absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One download: a file or folder on the pod."""

    label: str
    remote_path: str
    """Path on the pod. A trailing slash asks for a folder's contents."""
    local_path: Path
    """Absolute. With `into` it is the folder to put the result in, otherwise the path of the result itself."""
    into: bool = False
    """Whether local_path ends with a slash in the config."""
    excludes: tuple[str, ...] = ()
    delete: bool = False
    """Whether to remove files below local_path that are not on the pod."""
    protected: tuple[Path, ...] = ()
    """Files and folders here that no artifact may write, replace, delete or link to. Absolute."""
    other_artifacts: tuple[Path, ...] = ()
    """Where other artifacts go: this one may create no link there, nor on the way there. Absolute."""
    trusting: bool = False
    """Whether a local file of equal size and time counts as equal, so that only downloaded files are checksummed.

    For downloads while the job runs: a checksum of everything would take disk and CPU time from the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The result of a transfer."""

    files: int
    """Number of files, whether they were sent or were equal already."""
    bytes_total: int
    """Their total size."""
    bytes_transferred: int
    """Bytes of content that were sent."""
    removed: int = 0
    """Files on the pod that an upload removed, since they are not here."""
    removed_bytes: int = 0
    removed_largest: tuple[str, ...] = ()
    """The largest of them, each with its size."""
    sha256: str = ""
    """SHA-256 of the sorted `<sha256>  <path>` and `-> <target>  <path>` lines of a download; empty for an upload."""
    refused: tuple[str, ...] = ()
    """Entries of a download that were not created here: links to what is not fetched, and protected places."""
    unresolved: tuple[str, ...] = ()
    """Links of a download that lead nowhere on the pod."""
    links_out: tuple[str, ...] = ()
    """Links of an upload that lead out of its source and were sent as links, each with its target."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a transfer is done."""

    files: int
    bytes: int
    of_files: int
    of_bytes: int


OnProgress = Callable[[Progress], None]
"""The first call comes as soon as the totals are known."""


class Tally:
    """Counts what has been moved, and reports it."""

    def __init__(self, on_progress: OnProgress | None, *, of_files: int, of_bytes: int) -> None:
        self._on_progress = on_progress
        self._of = (of_files, of_bytes)
        self.files, self.bytes = 0, 0
        self.report()

    def add(self, *, files: int = 0, moved: int = 0) -> None:
        """Adds to the counts."""
        self.files += files
        self.bytes += moved

    def report(self) -> None:
        """Calls the listener, if there is one, with the counts of now."""
        if self._on_progress:
            self._on_progress(Progress(self.files, self.bytes, *self._of))


def remote_path(text: str) -> str:
    """The path for the pod's shell: relative to root's home directory, and without a trailing slash."""
    text = text.removeprefix("~/") if text != "~" else "."
    return text.rstrip("/") or ("/" if text.startswith("/") else ".")
