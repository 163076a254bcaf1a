"""The wish of a `stop` command for the pod of a run: a small file between two processes. Decides nothing."""

from __future__ import annotations

from contextlib import suppress

from ..machine.files import PRIVATE, write_atomically
from ..machine.limits import NOTE_BYTES
from ..machine.reading import read_limited
from .paths import RunDir

WISHES = ("stop", "delete")


def leave_wish(run_dir: RunDir, wish: str) -> None:
    """The process that is about to be signalled can read the wish; an empty one asks for nothing. Raises OSError."""
    write_atomically(run_dir.stop_request, wish, mode=PRIVATE)


def take_wish(run_dir: RunDir) -> str:
    """The wish, which is forgotten then; empty if there is none."""
    with suppress(OSError, ValueError):
        wish = read_limited(run_dir.stop_request, NOTE_BYTES).decode().strip()
        run_dir.stop_request.unlink(missing_ok=True)
        return wish if wish in WISHES else ""
    return ""
