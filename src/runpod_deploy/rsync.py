"""Files through rsync, where both sides have it: parts of files that are there already are not sent again.

Knows rsync's options, output and exit codes; what is to be moved is decided before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from . import proc
from .ssh import ALIAS, Connection
from .tarball import Progress, refusal
from .tree import Tree, nul_list

BY_LIST = ("-lptO", "--from0", "--files-from=-", "--partial", "--no-h", "--info=progress2")
"""Modes, times and links as they are; exactly what the list names; what was sent of a file is kept."""
WITHIN_S = 24 * 3600.0
CONNECTION_CODES = (10, 12, 30, 35, 255)
VANISHED = 24


@cache
def here() -> bool:
    """Whether this machine has an rsync that knows these options: version 3, which macOS's own is not."""
    if not proc.found("rsync"):
        return False
    told = proc.run(("rsync", "--version"), timeout_s=20.0).stdout
    found = re.match(rb"rsync +version v?(\d+)\.(\d+)", told)
    return bool(found and (int(found[1]), int(found[2])) >= (3, 1))


def push_argv(way: tuple[str, ...], root: Path, folder: str) -> tuple[str, ...]:
    """What sends listed entries of a local folder into a folder on the pod."""
    return ("rsync", *BY_LIST, "-s", *way, f"{root}/", f"{ALIAS}:{folder}/")


def pull_argv(way: tuple[str, ...], folder: str, into: Path, basis: Path) -> tuple[str, ...]:
    """What brings listed entries of a folder on the pod below a local one; `basis` may hold older versions."""
    copy = (f"--copy-dest={basis}",) if basis.is_dir() else ()
    # -I: what is asked for is to be read, even if an older version looks equal.
    return ("rsync", *BY_LIST, "-sI", *copy, *way, f"{ALIAS}:{folder}/", f"{into}/")


def send(connection: Connection, root: Path, entries: Tree, folder: str, progress: Progress) -> None:
    """The entries of a local folder are in a folder on the pod. Raises StagingFailed and Unreachable."""
    ended = _rsync(connection, push_argv(connection.rsync_way(), root, folder), entries, progress)
    if ended.exit_code not in (0, VANISHED):
        raise refusal(ended.stderr, f"rsync: exit code {ended.exit_code}")


def fetch(connection: Connection, folder: str, entries: Tree, into: Path, basis: Path, progress: Progress) -> None:
    """The files among the entries are below a local folder, as far as they could be read. Raises Unreachable."""
    files = {path: entry for path, entry in entries.items() if entry.kind == "f"}
    _rsync(connection, pull_argv(connection.rsync_way(), folder, into, basis), files, progress)


def _rsync(connection: Connection, argv: tuple[str, ...], entries: Tree, progress: Progress) -> proc.Completed:
    ended = proc.run(argv, stdin=nul_list(entries), timeout_s=WITHIN_S, on_output=watch(progress))
    if ended.exit_code in CONNECTION_CODES:
        connection.check(255, ended.stderr)
    return ended


def watch(progress: Progress) -> Callable[[bytes], None]:
    """Reports the bytes that rsync's progress lines name."""

    def look(output: bytes) -> None:
        told = re.findall(rb"([\d,]+) +\d+%", output)
        if told:
            progress(int(told[-1].replace(b",", b"")))

    return look
