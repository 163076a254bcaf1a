"""Shell commands that list, checksum, pack and remove files of the pod, and their output. Knows no connection."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from shlex import quote
from sys import getsizeof, intern

from .excludes import Excludes
from .limits import DIGEST_BYTES, MAX_DEPTH, MAX_ENTRIES, NAME_BYTES, NAMED_BYTES, PATH_BYTES, TREE_BYTES, shown
from .tree import Entry, Tree

LISTING_S = 1800.0
KINDS = ("f", "d", "l")
DIGEST_CHARS = 64
NUMBERS_CHARS = 100
"""The most characters that all of a record before the path takes."""
HELD = "sort -z |"
"""Reads the whole list from stdin before any output is written, so that neither side waits for the other. It stays in
memory, because a job may have filled the disk."""
NO_SUMS = "no-sha256sum"
END = b"\0\0end\0\0"
"""The end of a complete listing. No record contains it."""
PAIR = re.compile(rb"([^\0]*)\0([^\0]*)(?:\0|\Z)")


@dataclass(frozen=True, slots=True)
class RemoteListing:
    """What is at a path on the pod."""

    kind: str
    """d, f, or - if there is nothing."""
    path: str
    """The real path: for a link to a file, that of the file."""
    has_rsync: bool
    tree: Tree
    replaced: frozenset[str] = frozenset()
    """Paths that are links there, and in the tree what they point to."""
    refused: tuple[str, ...] = ()
    """Links that are not followed."""
    unresolved: tuple[str, ...] = ()
    """Links that end nowhere."""

    def is_behind_link(self, path: str) -> bool:
        """Whether a path is reached through a link there."""
        return bool(self.replaced) and any(link == path or path.startswith(f"{link}/") for link in self.replaced)


@dataclass(frozen=True, slots=True)
class End:
    """Where a link ends, as the side says that has it."""

    kind: str
    """f, d, - for something else, or x if it ends nowhere."""
    real: str
    """The path without links in it."""
    entry: Entry


# A record is `kind mode size mtime path NUL target NUL`, as GNU find prints it in one go; with another find, the
# shell calls stat for each file. "$@" holds the first arguments of find; it is empty if there is nothing to list.
_LIST = """list() {
    if find --version >/dev/null 2>&1; then find "$@" -printf '%y %m %s %T@ %p\\0%l\\0'
    else
        find "$@" -print0 | xargs -0 sh -c 'for f; do
            k=-; if [ -L "$f" ]; then k=l; elif [ -d "$f" ]; then k=d; elif [ -f "$f" ]; then k=f; fi
            s=$(stat -c "%a %s %Y" "$f" 2>/dev/null) || continue
            printf "%s %s %s\\0%s\\0" $k "$s" "$f" "$(readlink "$f")"
        done' sh
    fi
}
"""
_RECORDS = f"""
{_LIST}rsync=-; command -v rsync >/dev/null && rsync=rsync
printf '%s %s %s\\0\\0' "$kind" "$rsync" "$r"
[ $# -eq 0 ] || list "$@"
printf '\\0\\0end\\0\\0'
"""


def list_command(path: str) -> str:
    """Lists a folder's contents or one file. Links inside a folder are listed as links and not followed."""
    return f"""r={quote(path)}
if [ -d "$r" ]; then kind=d; cd -- "$r" || exit 1; set -- . -mindepth 1
elif [ -f "$r" ]; then
    kind=f; real=$(readlink -f -- "$r" && echo .) && r=${{real%??}}
    case $r in */*) ;; *) r=./$r ;; esac
    cd -- "${{r%/*}}/" || exit 1; set -- "./${{r##*/}}"
else kind=-; set --
fi{_RECORDS}"""


def make_folder_command(path: str) -> str:
    """Makes a folder, enters it and lists it."""
    return f"""r={quote(path)} kind=d
mkdir -p -- "$r" && cd -- "$r" || exit 1
set -- . -mindepth 1{_RECORDS}"""


def make_file_place_command(path: str, name: str, *, into: bool) -> str:
    """Makes and enters the folder for a file, and lists the file if it exists.

    The folder is the path itself if it is one or `into` is set, and the file then has that name; otherwise it is the
    path's parent.
    """
    folder, slash, own_name = path.rpartition("/")
    parent = f"r={quote(folder or slash or '.')} n={quote(own_name)} kind=-"
    return f"""r={quote(path)} n={quote(name)} kind=d
[ -d "$r" ] || {"true" if into else f"{{ {parent}; }}"}
mkdir -p -- "$r" && cd -- "$r" || exit 1
set --; if [ -e "./$n" ] || [ -L "./$n" ]; then set -- "./$n" -maxdepth 0; fi{_RECORDS}"""


def ends_command(folder: str) -> str:
    """Says where each link of the NUL list on stdin ends; `.` is the folder itself.

    A record is `kind mode size mtime path NUL real-path NUL`.
    """
    return f"""cd -- {quote(folder)} || exit 1
{HELD} xargs -0 sh -c 'for f; do
    k=x s="0 0 0" r=
    if [ -f "$f" ]; then k=f; elif [ -d "$f" ]; then k=d; elif [ -e "$f" ]; then k=-; fi
    if [ $k != x ]; then
        r=$(readlink -f "$f" && echo .) && s=$(stat -L -c "%a %s %Y" "$f" 2>/dev/null) || continue
        r=${{r%??}}
    fi
    printf "%s %s %s\\0%s\\0" $k "$s" "$f" "$r"
done' sh
printf '\\0\\0end\\0\\0'"""


def below_command(folder: str) -> str:
    """Lists what is in each folder of the NUL list on stdin; the folders are links."""
    each = _LIST + 'for f; do list "$f/" -mindepth 1; done'
    return f"""cd -- {quote(folder)} || exit 1
{HELD} xargs -0 sh -c {quote(each)} sh
printf '\\0\\0end\\0\\0'"""


class BadListing(ValueError):
    """The listing contradicts itself or goes beyond a limit; the message names the entry."""


def parse(output: bytes, excludes: Excludes) -> RemoteListing:
    """The listing without excluded entries. Raises BadListing."""
    head, begin = output[: max(0, output.find(b"\0\0"))], output.find(b"\0\0") + 2
    kind, rsync, path = [*os.fsdecode(head).split(" ", 2), "", ""][:3]
    if kind not in ("d", "f", "-"):
        raise BadListing(f"no listing begins with {shown(os.fsdecode(head))}")
    return RemoteListing(kind, path, rsync == "rsync", _kept(_pairs(output, begin), excludes, {}))


def parse_below(output: bytes, excludes: Excludes, folders: Tree) -> Tree:
    """The entries in these folders, without excluded ones. Raises BadListing."""
    return _kept(_pairs(output), excludes, folders)


def parse_ends(output: bytes) -> dict[str, End]:
    """Where links end, by path; the folder itself has the empty path. Raises BadListing."""
    return dict(parse_end(record, real) for record, real in _pairs(output))


def parse_end(record: str, real: str) -> tuple[str, End]:
    """The path of a link, and where it ends. Raises BadListing."""
    kind, mode, size, mtime, path = (record.split(" ", 4) + [""] * 4)[:5]
    try:
        file = Entry("f", int(mode, 8), int(size), int(mtime)) if kind == "f" else Entry("d", int(mode, 8))
    except ValueError:
        raise BadListing(f"no number in where {shown(path)} ends") from None
    return path.removeprefix("./").removesuffix("."), End(kind, real, file)


def _pairs(output: bytes, begin: int = 0) -> Iterator[tuple[str, str]]:
    """The pairs of fields from that place on, one at a time: copies of a long listing would take memory several times.

    Raises BadListing if they are too many.
    """
    end = len(output) - (len(END) if output.endswith(END) else 0)
    if output.count(b"\0", begin, end) > 2 * MAX_ENTRIES:
        raise BadListing(f"more than {MAX_ENTRIES} entries; pack them into an archive on the pod")
    for pair in PAIR.finditer(output, begin, end):
        yield os.fsdecode(pair[1]), os.fsdecode(pair[2])


def _kept(records: Iterable[tuple[str, str]], excludes: Excludes, known: Tree) -> Tree:
    """The entries of a listing, below known folders."""
    tree: Tree = dict(known)
    left_out: set[str] = set()
    taken = 0
    for record, target in records:
        path, entry = parse_record(record, target)
        path = intern(path)  # the next listing has mostly the same
        taken += getsizeof(path) + len(target) * 4 + NAMED_BYTES
        if taken > TREE_BYTES:
            raise BadListing(f"its names are too long for {len(tree)} entries; pack them into an archive on the pod")
        parent = path.rpartition("/")[0]
        if path in tree or path in left_out:
            raise BadListing(f"{shown(path)} is there twice")
        if parent in left_out or entry.kind not in KINDS or (excludes and excludes.leave_out(path, entry.kind == "d")):
            left_out.add(path)
        elif parent and (parent not in tree or tree[parent].kind != "d"):
            raise BadListing(f"{shown(path)} is below what is no folder")
        else:
            tree[path] = entry
    return {path: entry for path, entry in tree.items() if path not in known} if known else tree


def parse_record(record: str, target: str) -> tuple[str, Entry]:
    """The path and entry of one record. Raises BadListing if the path would lead out of the folder."""
    fields = record.split(" ", 4)
    path = fields[-1].removeprefix("./")
    if len(fields) != 5 or not is_possible(path) or len(record) - len(path) > NUMBERS_CHARS or len(target) > PATH_BYTES:
        raise BadListing(f"impossible entry {shown(path)}")
    kind, mode, size, mtime, _ = fields
    try:
        if kind == "f":
            return path, Entry(kind, int(mode, 8), int(size), int(mtime.partition(".")[0]))
        return path, Entry(kind, int(mode, 8) if kind == "d" else 0, target=target)
    except ValueError:
        raise BadListing(f"no number in the entry of {shown(path)}") from None


def is_possible(path: str) -> bool:
    """Whether a path can be that of an entry below a folder, and is no longer than systems and we can handle."""
    names = path.split("/")
    if len(names) > MAX_DEPTH or len(path) > PATH_BYTES:
        return False
    # A character takes four bytes at most.
    return not any(
        name in ("", ".", "..") or (len(name) > NAME_BYTES // 4 and len(os.fsencode(name)) > NAME_BYTES)
        for name in names
    )


def nul_list(paths: Iterable[str]) -> bytearray:
    """Paths for `xargs -0`, each with `./` in front, so that none looks like an option."""
    names = bytearray()  # a join would hold every name twice
    for path in paths:
        names += b"./%b\0" % os.fsencode(path)
    return names


def sums_command(folder: str) -> str:
    """Prints `<sha256>  <path>` NUL for each path of the NUL list on stdin, or NO_SUMS if the pod has no sha256sum."""
    return f"""cd -- {quote(folder)} || exit 1
command -v sha256sum >/dev/null || {{ echo {NO_SUMS}; exit 0; }}
if sha256sum -z </dev/null >/dev/null 2>&1; then {HELD} xargs -0 sha256sum -z -- 2>/dev/null
else {HELD} xargs -0 sh -c 'for f; do h=$(sha256sum <"$f") && printf "%s  %s\\0" "${{h%% *}}" "$f"; done' sh
fi; true"""


def beginnings_command(folder: str) -> str:
    """Checksums the beginnings of files: in the NUL list on stdin, each path follows a number of bytes."""
    return f"""cd -- {quote(folder)} && xargs -0 -n 2 sh -c '
    h=$(head -c "$0" "$1" | sha256sum) && printf "%s  %s\\0" "${{h%% *}}" "$1"' 2>/dev/null; true"""


def sums_limit(paths: Iterable[str]) -> int:
    """The most bytes that the checksums of these files can take."""
    return sum(len(os.fsencode(path)) + DIGEST_BYTES for path in paths)


def parse_sums(pieces: Iterable[bytes], files: Container[str]) -> dict[str, str] | None:
    """Hash by path of those files that are named in the output; None if the pod has no sha256sum."""
    found, rest = dict[str, str](), b""
    for piece in pieces:
        *rows, rest = (rest + piece).split(b"\0")
        for row in rows:
            digest, _, name = os.fsdecode(row).partition("  ")
            path = name.removeprefix("./")
            if path in files and len(digest) == DIGEST_CHARS:
                found[intern(path)] = digest
    return None if rest.startswith(NO_SUMS.encode()) else found


def pack_command(folder: str) -> str:
    """Packs the files of the NUL list on stdin; xargs may split a long list into several archives.

    A link among them stands for the file that it leads to.
    """
    return f"cd -- {quote(folder)} && {HELD} xargs -0 tar -chf - --"


def remove_command(folder: str, *, folders: bool) -> str:
    """Removes the paths of the NUL list on stdin. A folder is removed only if it is empty."""
    tool = "rmdir --" if folders else "rm -f --"
    return f"cd -- {quote(folder)} && xargs -0 {tool} 2>/dev/null; true"
