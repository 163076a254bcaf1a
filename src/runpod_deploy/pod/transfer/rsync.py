"""Transfers by rsync, where both sides have it: parts of files that the other side has are not sent again.

Knows rsync's options, output and exit codes; which files to move is decided elsewhere.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from ...errors import ArtifactMissing
from ...machine import proc
from ..ssh import ALIAS, Connection
from .limits import GROWTH_BYTES
from .listing import nul_list
from .streams import refusal
from .tree import Tree, total_size
from .values import Tally

BY_LIST = ("--from0", "--files-from=-", "--partial", "--no-h", "--info=progress2")
"""Exactly the listed files move; a partly sent file is kept."""
AS_THEY_ARE = ("-lptO",)
"""For an upload: modes, times and links are preserved."""
FILES_ONLY = ("-tIO", "--no-links", "--safe-links", "--no-devices", "--no-specials", "--chmod=D700,F600")
"""For a download: regular files, without the pod's modes. -I: even if an older version here looks equal."""
WITHIN_S = 24 * 3600.0
CONNECTION_CODES = (10, 12, 30, 35, 255)
VANISHED = 24


@cache
def here() -> bool:
    """Whether this machine has an rsync that knows these options: version 3.1 or newer, which macOS's own is not."""
    if not proc.is_installed("rsync"):
        return False
    version = proc.run(("rsync", "--version"), timeout_s=20.0).stdout
    found = re.match(rb"rsync +version v?(\d+)\.(\d+)", version)
    return bool(found and (int(found[1]), int(found[2])) >= (3, 1))


def push_argv(way: tuple[str, ...], root: Path, folder: str) -> tuple[str, ...]:
    """The command that sends listed entries of a local folder into a folder on the pod."""
    return ("rsync", *AS_THEY_ARE, *BY_LIST, "-s", *way, f"{root}/", f"{ALIAS}:{folder}/")


def pull_argv(way: tuple[str, ...], folder: str, into: Path) -> tuple[str, ...]:
    """The command that downloads listed files of a folder on the pod; the local one may hold older versions."""
    return ("rsync", *FILES_ONLY, *BY_LIST, "-s", *way, f"{ALIAS}:{folder}/", f"{into}/")


def send(connection: Connection, root: Path, entries: Tree, folder: str, tally: Tally) -> None:
    """The entries of a local folder are in a folder on the pod. Raises StagingFailed and Unreachable."""
    ended = _rsync(connection, push_argv(connection.rsync_options(), root, folder), entries, tally)
    if ended.exit_code not in (0, VANISHED):
        raise refusal(ended.stderr, f"rsync: exit code {ended.exit_code}")


def fetch(connection: Connection, folder: str, entries: Tree, into: Path, tally: Tally) -> None:
    """The files are below a local folder, as far as they could be read. The folder may hold more than was asked for.

    Raises Unreachable, and ArtifactMissing if the pod sends more than it listed.
    """
    _rsync(connection, pull_argv(connection.rsync_options(), folder, into), entries, tally)


def _rsync(connection: Connection, argv: tuple[str, ...], entries: Tree, tally: Tally) -> proc.Completed:
    watch = Watch(tally, limit=total_size(entries) + GROWTH_BYTES)
    ended = proc.run(argv, stdin=nul_list(entries), timeout_s=WITHIN_S, on_output=watch)
    if ended.exit_code in CONNECTION_CODES:
        connection.check(255, ended.stderr)
    tally.add(files=len(entries))
    return ended


class Watch:
    """Counts the bytes that rsync's progress lines show."""

    def __init__(self, tally: Tally, *, limit: int) -> None:
        self._tally, self._limit = tally, limit
        self._counted = 0

    def __call__(self, output: bytes) -> None:
        """Counts what this piece of output shows. Raises ArtifactMissing beyond the limit."""
        for count in re.findall(rb"([\d,]+) +\d+%", output)[-1:]:
            now = int(count.replace(b",", b""))
            self._tally.add(moved=now - self._counted)
            self._counted = now
            if now > self._limit:
                raise ArtifactMissing(f"rsync has moved {now} bytes, far more than were listed")
        self._tally.report()
