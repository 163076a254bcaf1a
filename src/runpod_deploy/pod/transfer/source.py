"""What is sent from here: files below one folder, or one file. Knows no archive and no pod."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import StagingFailed

QUIET = "stage it when nothing writes to it"
READING = os.O_RDONLY | os.O_NONBLOCK
"""Without a wait for the writer of a pipe."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Source:
    """A folder whose files are sent, or one file, which may get another name there."""

    place: Path
    is_folder: bool = True
    through_links: bool = False

    def file(self, path: str) -> Path:
        """Where the file with this path in the listing is."""
        return self.place / path if self.is_folder else self.place

    def open(self, path: str) -> int:
        """A handle of the file. Raises StagingFailed if it, or a folder on the way to it, has become a link.

        Somebody else who may write to the staged folder could make it lead to what only this user may read. Raises
        OSError where the file cannot be opened.
        """
        file = self.file(path)
        if self.through_links:
            return os.open(file, READING)
        try:
            return open_below(self.place, path.split("/")) if self.is_folder else open_below(file.parent, [file.name])
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            raise StagingFailed(f"{file} became a link while it was staged", hint=QUIET) from None


def open_below(top: Path, parts: Sequence[str]) -> int:
    """A handle for reading a file below a folder, by a way without links. Raises OSError."""
    *way, name = parts
    folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in way:
            below = os.open(part, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(name, READING | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)
