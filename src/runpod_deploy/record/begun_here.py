"""The runs that this user began on this machine: a small file for each, in the folder of the user's state.

A run folder is obeyed: it names files to upload and places to download to. A folder that somebody sent belongs to the
user as soon as it is unpacked, so its owner proves nothing; a token that was made here does, with a checksum of what
the run was asked to do: somebody who was shown the folder knows its token.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from ..config.settings import state_dir
from ..errors import UsageError
from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import NOTE_BYTES, RECORD_BYTES
from ..machine.reading import read_limited
from .paths import PRIVATE_DIR, RunDir

CANNOT_BE_WRITTEN = (OSError, RuntimeError, ValueError)
"""A full or read-only disk; no home folder at all; a file that was tampered with."""
KEPT_DAYS = 400
"""A run that began longer ago is forgotten here: its pod can only be a paused one, for which `--trust` is no burden."""


def remember(token: str, run_dir: RunDir, spec: str) -> None:
    """The run with that spec is known here, if that can be written. If it cannot, only `--trust` resumes the run."""
    with suppress(*CANNOT_BE_WRITTEN):
        path = place(token)
        path.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        note = f"{checksum(spec.encode())}\n{run_dir.path.absolute()}\n"
        write_atomically(path, note, mode=PRIVATE, errors="surrogateescape")
        forget_old(path)


def forget_old(newest: Path) -> None:
    """Only the runs of the KEPT_DAYS before this one are known."""
    before = newest.lstat().st_mtime - KEPT_DAYS * 86_400
    for path in newest.parent.iterdir():
        if path.lstat().st_mtime < before:
            path.unlink(missing_ok=True)


def why_unknown(token: str, run_dir: RunDir) -> str:
    """Why this folder is not that of a run that this user began on this machine; empty if it is."""
    with suppress(*CANNOT_BE_WRITTEN):
        if token and place(token).is_file():
            began, noted = read_note(place(token))
            if began != checksum(read_limited(run_dir.spec, RECORD_BYTES)):
                return f"its {run_dir.spec.name} is not the one that you began the run with"
            if is_elsewhere(run_dir, RunDir(noted)):
                return f"it is a copy: you began this run in {noted}"
            return ""
    return "nothing shows that you began this run on this machine"


def read_note(path: Path) -> tuple[str, Path]:
    """The checksum of the spec and the folder of a run that was begun here. Raises OSError."""
    began, _, folder = os.fsdecode(read_limited(path, NOTE_BYTES)).removesuffix("\n").partition("\n")
    return began, Path(folder)


def is_elsewhere(run_dir: RunDir, noted: RunDir) -> bool:
    """Whether the run is still where it began, so that this folder is a copy. A project may be moved with its runs."""
    return noted.spec.exists() and not noted.path.samefile(run_dir.path)


def require_known(token: str, run_dir: RunDir, *, trust: bool) -> bool:
    """Whether the run was begun here. Raises UsageError if not, unless it is trusted: to continue it is to obey it."""
    why = why_unknown(token, run_dir)
    if why and not trust:
        raise UsageError(
            f"{run_dir.path}: {why}: nothing was done, and its pod, if it has one, may still bill",
            hint="if the run is yours (begun on another machine, with another home folder, or by an older version), "
            "add --trust; a folder from somebody else would decide which of your files are uploaded and overwritten",
        )
    return not why


def checksum(content: bytes) -> str:
    """The SHA-256 of a spec."""
    return hashlib.sha256(content).hexdigest()


def place(token: str) -> Path:
    """The file that stands for the run. It does not tell the token."""
    return state_dir() / "runs" / checksum(token.encode("utf-8", "surrogatepass"))
