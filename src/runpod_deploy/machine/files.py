"""Files that are never half written. Knows bytes and the disk; knows nothing of the content."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
PRIVATE = 0o600
"""The mode of files that only this user may read."""


def write_atomically(path: Path, text: str | Iterable[str], *, mode: int = 0o666, errors: str = "strict") -> None:
    """The file holds the text, and at no time half of it. Raises OSError, and then the file is as it was.

    A link with that name is replaced, not followed. `errors` is for text that UTF-8 cannot hold, as in `open`.
    """
    # Nobody can guess the name and put a link or a file of their own there first.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    with os.fdopen(os.open(draft, NEW_FILE, mode), "w", encoding="utf-8", errors=errors) as file:
        try:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


@contextmanager
def own_folder(above: Path, name: str, *, make: bool = False) -> Iterator[int]:
    """A handle of the folder with that name. Raises OSError for a link, and for a folder of another user.

    Others may write to the folder above it. Whatever they put there later, the handle stays at this folder.
    """
    parent = os.open(above, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=parent)
        handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    finally:
        os.close(parent)
    try:
        if os.fstat(handle).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "the folder belongs to another user", str(above / name))
        yield handle
    finally:
        os.close(handle)


def copy_atomically(source: BinaryIO, folder: int, name: str) -> None:
    """The private file in the open folder holds the rest of the source, and at no time half of it. Raises OSError.

    The source is copied in pieces: it may be larger than the memory. A link with that name is replaced.
    """
    draft = f".{name}.{secrets.token_hex(8)}.tmp"
    with os.fdopen(os.open(draft, NEW_FILE, PRIVATE, dir_fd=folder), "wb") as file:
        try:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
            os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=folder)
            raise


def open_own(path: str | Path, flags: int, mode: int = PRIVATE) -> int:
    """An opener for `open`, for files that only the tool writes: a new one can be read by this user only.

    Raises OSError for a link, which may lead to any file of the user: somebody may have sent the folder.
    """
    return os.open(path, flags | os.O_NOFOLLOW, mode)


def real(path: Path) -> Path:
    """The absolute path without links; a link that leads to itself stays as it is.

    `Path.resolve` raises RuntimeError for such a link, and a checkout or a run folder may hold one.
    """
    return Path(os.path.realpath(path))


def lock_error(folder: Path) -> str:
    """Why a file in this folder cannot be locked; empty if it can."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".runpod-deploy-lock-", dir=folder) as probe:
            fcntl.flock(probe.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def extend(path: Path, data: bytes, end: int, *, synced: bool = False) -> None:
    """The data is at the end of the file, which had this length before. Raises OSError; the length is unchanged then.

    With `synced`, the data survives a power cut.
    """
    handle = open_own(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        view, at = memoryview(data), end
        while view:
            written = os.pwrite(handle, view, at)
            view, at = view[written:], at + written
        if synced:
            os.fsync(handle)
    except OSError:
        os.ftruncate(handle, end)
        raise
    finally:
        os.close(handle)
