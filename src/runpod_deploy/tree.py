"""Folders as values, here and on the pod: what is in them, what differs. Knows no transfer."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from .excludes import Excludes


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or symbolic link."""

    kind: str
    """f, d or l."""
    mode: int = 0
    size: int = 0
    mtime: int = 0
    target: str = ""

    def same_as(self, other: Entry | None) -> bool:
        """Whether nothing needs to be sent: what rsync's quick check asks, and the mode."""
        if other is None or self.kind != other.kind:
            return False
        if self.kind == "l":
            return self.target == other.target
        if self.kind == "d":
            return self.mode == other.mode
        return (self.size, self.mtime, self.mode) == (other.size, other.mtime, other.mode)


Tree = dict[str, Entry]
"""Entries by path below the folder, parents before children."""


def local_tree(root: Path, excludes: Excludes) -> Tree:
    """What a folder here holds; empty if there is none. Sockets, pipes and devices are no part of it."""
    return dict(_walk(root, "", excludes)) if root.is_dir() else {}


def local_entry(path: Path) -> Entry | None:
    """One entry here; None if there is nothing of the kinds that we move."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return Entry("l", target=str(path.readlink()))
    if stat.S_ISDIR(found.st_mode):
        return Entry("d", mode)
    return Entry("f", mode, found.st_size, int(found.st_mtime)) if stat.S_ISREG(found.st_mode) else None


def _walk(root: Path, below: str, excludes: Excludes) -> Iterator[tuple[str, Entry]]:
    with os.scandir(root / below) as found:
        children = sorted(found, key=lambda child: child.name)
    for child in children:
        path = f"{below}/{child.name}" if below else child.name
        is_dir = child.is_dir(follow_symlinks=False)
        if excludes.leave_out(path, is_dir):
            continue
        entry = local_entry(Path(child.path))
        if entry is not None:
            yield path, entry
        if is_dir:
            yield from _walk(root, path, excludes)


def listing_command(path: str) -> str:
    """Prints what is at a path on the pod: a head line `KIND RSYNC`, and for a folder or file its entries.

    A record is `kind mode size mtime path NUL target NUL`, as GNU find prints it in one go; where find is another,
    the shell asks stat for one file after the other.
    """
    return f"""r={quote(path.rstrip("/") or "/")}
rsync=-; command -v rsync >/dev/null && rsync=rsync
if [ -d "$r" ]; then echo "d $rsync"; cd "$r" || exit 1; set -- . -mindepth 1
elif [ -f "$r" ]; then echo "f $rsync"; cd "$(dirname "$r")" || exit 1; set -- -H "./$(basename "$r")"
else echo "- $rsync"; exit 0
fi
if find --version >/dev/null 2>&1; then
    find "$@" -printf '%y %m %s %T@ %p\\0%l\\0'
else
    find "$@" -print0 | xargs -0 sh -c 'for f; do
        k=-; if [ -L "$f" ]; then k=l; elif [ -d "$f" ]; then k=d; elif [ -f "$f" ]; then k=f; fi
        printf "%s %s %s\\0%s\\0" $k "$(stat -c "%a %s %Y" "$f")" "$f" "$(readlink "$f")"
    done' sh
fi"""


def parse_listing(output: bytes, excludes: Excludes) -> tuple[str, bool, Tree]:
    """What is there (d, f or -), whether rsync is, and the entries that are not left out."""
    head, _, records = output.partition(b"\n")
    kind, rsync = head.decode().split()
    return kind, rsync == "rsync", dict(_kept(records, excludes))


def _kept(records: bytes, excludes: Excludes) -> Iterator[tuple[str, Entry]]:
    fields = [os.fsdecode(field) for field in records.split(b"\0")]
    left_out: set[str] = set()
    for record, target in zip(fields[::2], fields[1::2], strict=False):
        path, entry = parse_record(record, target)
        if path.rpartition("/")[0] in left_out or excludes.leave_out(path, entry.kind == "d"):
            left_out.add(path)
        elif entry.kind in "fdl":
            yield path, entry


def parse_record(record: str, target: str) -> tuple[str, Entry]:
    """One record of a listing. Raises ValueError on a path that would lead out of the folder."""
    kind, mode, size, mtime, path = record.split(" ", 4)
    path = path.removeprefix("./")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"the pod lists an impossible path: {path!r}")
    if kind != "f":
        return path, Entry(kind, int(mode, 8) if kind == "d" else 0, target=target)
    return path, Entry(kind, int(mode, 8), int(size), int(mtime.partition(".")[0]))


def nul_list(paths: Iterable[str]) -> bytes:
    """Paths for `xargs -0`, none of which looks like an option."""
    return b"".join(b"./" + os.fsencode(path) + b"\0" for path in paths)


def sums_command(folder: str) -> str:
    """Prints `<sha256>  <path>` NUL for each path of the NUL list on stdin; nothing where no sha256sum is."""
    return f"""cd {quote(folder)} || exit 1
command -v sha256sum >/dev/null || exit 0
if sha256sum -z </dev/null >/dev/null 2>&1; then xargs -0 sha256sum -z -- 2>/dev/null
else xargs -0 sh -c 'for f; do h=$(sha256sum <"$f") && printf "%s  %s\\0" "${{h%% *}}" "$f"; done' sh
fi; true"""


def parse_sums(output: bytes) -> dict[str, str]:
    """Hash by path."""
    rows = (os.fsdecode(row).partition("  ") for row in output.split(b"\0") if row)
    return {path.removeprefix("./"): digest for digest, _, path in rows}


def remove_command(folder: str, *, folders: bool) -> str:
    """Removes the paths of the NUL list on stdin; a folder only if it is empty."""
    tool = "rmdir --" if folders else "rm -f --"
    return f"cd {quote(folder)} && xargs -0 {tool} 2>/dev/null; true"
