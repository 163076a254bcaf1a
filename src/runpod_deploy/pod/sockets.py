"""The folder of a shared SSH connection's control socket: private to this user, and short enough for a socket.

Knows folders of this machine; knows no ssh. Another user of the machine can neither use the socket nor take its place.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..config.settings import runtime_dir
from ..errors import ConfigError

LONGEST_CHARS = 64
"""A socket's path has at most 104 bytes: the folder, 16 digits of a hash, and 17 characters that ssh appends."""
PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
"""Such a path needs no quotes, neither for ssh nor for rsync."""
PREFIX = "runpod-deploy-"


def socket_folder() -> Path:
    """A folder that only this user can enter: the session's own, which all processes share, or else a new one.

    Raises ConfigError if none can be made.
    """
    return shared_folder(runtime_dir()) or new_folder()


def shared_folder(session: Path | None) -> Path | None:
    """Our folder in the folder of the user's session; None if there is none that is private and short."""
    if session is None:
        return None
    folder = session / "runpod-deploy"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder if fits(folder) and is_private(folder) and is_private(session) else None
    except OSError:
        return None


def new_folder() -> Path:
    """A new folder with a random name. Raises ConfigError if no folder for temporary files can be used."""
    for parent in parents():
        if not fits(Path(parent, f"{PREFIX}12345678")):
            continue
        try:
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        except OSError:
            continue
    raise ConfigError(
        "no folder for SSH's control socket can be made",
        hint="set XDG_RUNTIME_DIR or TMPDIR to a folder with a short path that you may write to",
    )


def parents() -> Iterator[str]:
    """The folders for temporary files, the preferred one first: to find it a file is written, if there is room."""
    with suppress(FileNotFoundError):
        yield tempfile.gettempdir()
    yield from ("/tmp", "/var/tmp", "/dev/shm")


def remove_folder(folder: Path) -> None:
    """The folder is gone if `new_folder` made it; the session's own stays."""
    if folder.name.startswith(PREFIX):
        try:
            folder.rmdir()
        except OSError:
            pass  # a socket is still in it, until ssh has noticed its end


def fits(folder: Path) -> bool:
    """Whether a socket in the folder has a path that ssh takes."""
    return len(str(folder)) <= LONGEST_CHARS and PLAIN.fullmatch(str(folder)) is not None


def is_private(folder: Path) -> bool:
    """Whether the folder is a real one that belongs to this user, and that nobody else can enter."""
    found = folder.lstat()
    return not folder.is_symlink() and found.st_uid == os.getuid() and not found.st_mode & 0o077
