"""Files that are never half written. Knows bytes and the disk; knows nothing of what the files mean."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """The file holds the text, and never held half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def extend(path: Path, data: bytes, end: int, *, synced: bool = False) -> None:
    """The file, which ended there, ends with all of the data, or it is as long as before. Raises OSError.

    With `synced`, the data survives a power cut.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
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
