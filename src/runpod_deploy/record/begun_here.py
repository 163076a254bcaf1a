"""The runs that this user began on this machine: a small file for each, in the folder of the user's state.

A run folder is obeyed: it names files to upload and places to download to. A folder that somebody sent belongs to the
user as soon as it is unpacked, so its owner proves nothing; a token that was made here does.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from ..config.settings import state_dir
from ..errors import UsageError
from ..machine.files import PRIVATE, write_atomically
from .paths import PRIVATE_DIR, RunDir

CANNOT_BE_WRITTEN = (OSError, RuntimeError)
"""A full or read-only disk; and no home folder at all."""


def remember(token: str, run_dir: RunDir) -> None:
    """The run is known here, if that can be written. If it cannot, only `--trust` resumes the run."""
    with suppress(*CANNOT_BE_WRITTEN):
        path = place(token)
        path.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        write_atomically(path, f"{run_dir.path.absolute()}\n", mode=PRIVATE)


def is_known(token: str) -> bool:
    """Whether this user began the run on this machine. A run of an older version, without a token, is not known."""
    with suppress(*CANNOT_BE_WRITTEN):
        return bool(token) and place(token).is_file()
    return False


def require_known(token: str, run_dir: RunDir, *, trust: bool) -> None:
    """Raises UsageError for a run that was not begun here, unless it is trusted: to continue a run is to obey it."""
    if not trust and not is_known(token):
        raise UsageError(
            f"{run_dir.path}: nothing shows that you began this run on this machine: nothing was done, and its pod, if "
            "it has one, may still bill",
            hint="if the run is yours (begun on another machine, with another home folder, or by an older version), "
            "add --trust; a folder from somebody else would decide which of your files are uploaded and overwritten",
        )


def place(token: str) -> Path:
    """The file that stands for the run. It does not tell the token."""
    return state_dir() / "runs" / hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
