"""Files that may come from somebody else, read and written within bounds. Knows JSON; knows no cloud.

A recording that was sent, or a folder that is shared, may hold a device that never ends, a pipe that nobody writes to,
or a link to another file.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import IO, Any

READ = os.O_RDONLY | os.O_NONBLOCK
WRITE = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW


def read_json(path: Path, most: int) -> Any:
    """The content of a regular file of at most this many bytes. Raises OSError; ValueError if it is no JSON."""
    with _regular(path, READ, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"{path} has more than {most >> 20} MB")
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is no UTF-8 text") from error  # the error itself holds the whole content


def write_private(path: Path, text: str) -> None:
    """The file has this text, and only its owner can read it. No link is followed. Raises OSError."""
    with _regular(path, WRITE, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.truncate()
        file.write(text)


def _regular(path: Path, flags: int, mode: str) -> IO[Any]:
    """The open file. Others are refused, because a pipe could be waited for and a device be read for ever."""
    handle = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is not a regular file")
    return os.fdopen(handle, mode)
