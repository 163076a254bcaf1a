"""What is on the pod: shell text that lists, sums and removes, and what its output means. Knows no connection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from shlex import quote

from .excludes import Excludes
from .tree import Entry, Tree

LISTING_S = 1800.0
HELD = "sort -z |"
"""Before what reads a list from stdin while we read its output: all of the list is taken in first, into memory, as a
job may have filled the disk."""
NO_SUMS = "no-sha256sum"
END = b"\0end\0\0"
"""How a listing ends; what comes after it is another's. No record holds this."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What was found at a path on the pod."""

    kind: str
    """d, f or - for nothing."""
    path: str
    """Where it really is: of a link to a file, the file."""
    has_rsync: bool
    tree: Tree


# A record is `kind mode size mtime path NUL target NUL`, as GNU find prints it in one go; where find is another, the
# shell asks stat for one file after the other. The words that find is to begin with are in "$@"; none for nothing.
_RECORDS = """
rsync=-; command -v rsync >/dev/null && rsync=rsync
printf '%s %s %s\\0\\0' "$kind" "$rsync" "$r"
if [ $# -eq 0 ]; then :
elif find --version >/dev/null 2>&1; then
    find "$@" -printf '%y %m %s %T@ %p\\0%l\\0'
else
    find "$@" -print0 | xargs -0 sh -c 'for f; do
        k=-; if [ -L "$f" ]; then k=l; elif [ -d "$f" ]; then k=d; elif [ -f "$f" ]; then k=f; fi
        printf "%s %s %s\\0%s\\0" $k "$(stat -c "%a %s %Y" "$f")" "$f" "$(readlink "$f")"
    done' sh
fi
printf '\\0end\\0\\0'
"""


def found_at(path: str) -> str:
    """Lists what is at a path, a folder's contents or one file; nothing of what a link to a folder leads out of."""
    return f"""r={quote(path)}
if [ -d "$r" ]; then kind=d; cd -- "$r" || exit 1; set -- . -mindepth 1
elif [ -f "$r" ]; then
    kind=f; real=$(readlink -f -- "$r" && echo .) && r=${{real%??}}
    case $r in */*) ;; *) r=./$r ;; esac
    cd -- "${{r%/*}}/" || exit 1; set -- "./${{r##*/}}"
else kind=-; set --
fi{_RECORDS}"""


def made_folder(path: str) -> str:
    """Makes a folder, goes into it and lists it."""
    return f"""r={quote(path)} kind=d
mkdir -p -- "$r" && cd -- "$r" || exit 1
set -- . -mindepth 1{_RECORDS}"""


def made_place(path: str, name: str, *, into: bool) -> str:
    """Makes and enters the folder for a file: the path if it is one or `into` is set, where the file has that name;
    else the path's parent. Lists the file if it is there."""
    folder, slash, own_name = path.rpartition("/")
    parent = f"r={quote(folder or slash or '.')} n={quote(own_name)} kind=-"
    return f"""r={quote(path)} n={quote(name)} kind=d
[ -d "$r" ] || {"true" if into else f"{{ {parent}; }}"}
mkdir -p -- "$r" && cd -- "$r" || exit 1
set --; if [ -e "./$n" ] || [ -L "./$n" ]; then set -- "./$n" -maxdepth 0; fi{_RECORDS}"""


def parse(output: bytes, excludes: Excludes) -> Listed:
    """The listing without what is left out. Raises ValueError on one that makes no sense."""
    head, _, records = output.removesuffix(END).partition(b"\0\0")
    kind, rsync, path = os.fsdecode(head).split(" ", 2)
    return Listed(kind, path, rsync == "rsync", dict(_kept(records, excludes)))


def _kept(records: bytes, excludes: Excludes) -> Iterator[tuple[str, Entry]]:
    fields = [os.fsdecode(field) for field in records.split(b"\0")]
    left_out: set[str] = set()
    for record, target in zip(fields[::2], fields[1::2], strict=False):
        path, entry = parse_record(record, target)
        if excludes and (path.rpartition("/")[0] in left_out or excludes.leave_out(path, entry.kind == "d")):
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
    """Prints `<sha256>  <path>` NUL for each path of the NUL list on stdin, or that there is no such tool."""
    return f"""cd -- {quote(folder)} || exit 1
command -v sha256sum >/dev/null || {{ echo {NO_SUMS}; exit 0; }}
if sha256sum -z </dev/null >/dev/null 2>&1; then {HELD} xargs -0 sha256sum -z -- 2>/dev/null
else {HELD} xargs -0 sh -c 'for f; do h=$(sha256sum <"$f") && printf "%s  %s\\0" "${{h%% *}}" "$f"; done' sh
fi; true"""


def beginnings_command(folder: str) -> str:
    """The same for the first bytes alone; the NUL list has before each path how many."""
    return f"""cd -- {quote(folder)} && xargs -0 -n 2 sh -c '
    h=$(head -c "$0" "$1" | sha256sum) && printf "%s  %s\\0" "${{h%% *}}" "$1"' 2>/dev/null; true"""


def parse_sums(output: bytes) -> dict[str, str] | None:
    """Hash by path; None if the pod cannot tell."""
    if output.startswith(NO_SUMS.encode()):
        return None
    rows = (os.fsdecode(row).partition("  ") for row in output.split(b"\0") if row)
    return {path.removeprefix("./"): digest for digest, _, path in rows}


def pack_command(folder: str) -> str:
    """Packs the files of the NUL list on stdin. Many files make several archives."""
    return f"cd -- {quote(folder)} && {HELD} xargs -0 tar -cf - --"


def remove_command(folder: str, *, folders: bool) -> str:
    """Removes the paths of the NUL list on stdin; a folder only if it is empty."""
    tool = "rmdir --" if folders else "rm -f --"
    return f"cd -- {quote(folder)} && xargs -0 {tool} 2>/dev/null; true"
