"""The lease of a run on its pod: which machine carries the run out. Knows the files and their format; knows no SSH.

`guard/lease.1`, `guard/lease.2` and so on each hold a claim and the name of a machine. The one with the highest number
is in force, and a link makes the next one, which only one machine can do. A pod is a stranger: every value is checked.
"""

from __future__ import annotations

import re
from shlex import quote

from ..machine.limits import NOTE_BYTES
from ..spec.visible import shortened
from .job import JobPaths
from .protocol import Lease

HOLDER_CHARS = 100
ROW_BYTES = 400
LOOK_BYTES = NOTE_BYTES + 4 * ROW_BYTES
LOOK_TIMEOUT_S = 20.0
ROW = re.compile(r"([0-9a-f]{48}) ([^\n]*)")

LOOK = f"""n=0
while [ -e "$g/lease.$((n + 1))" ]; do n=$((n + 1)); done
at=''
for file in "$g/../contact" "$g/contact" "$g/lease.$n"; do
    t=$(stat -c %Y "$file" 2>/dev/null) && {{ [ -z "$at" ] || [ "$t" -gt "$at" ]; }} && at=$t
done
echo "number $n"
[ -z "$at" ] || echo "silent $(($(date +%s) - at))"
[ "$n" = 0 ] || echo "row $(head -c {ROW_BYTES} "$g/lease.$n" | head -n 1)"
if read -r pid _ <"$g/../pid"; then echo "pid $pid"; fi 2>/dev/null
echo note
[ ! -f "$g/note" ] || head -c {NOTE_BYTES} "$g/note"
"""

TAKE = """umask 077
mkdir -p "$g" && cat >"$g/lease.new.$$" || exit 2
ln "$g/lease.new.$$" "$g/lease.$n" 2>/dev/null || cmp -s "$g/lease.new.$$" "$g/lease.$n"
code=$?
rm -f "$g/lease.new.$$"
exit $code"""

LEAVE = """umask 077
mkdir -p "$g" && cat >"$g/note.new.$$" && mv -f "$g/note.new.$$" "$g/note"
"""


def look_program(paths: JobPaths) -> str:
    """A shell program that prints the lease as `read_lease` reads it."""
    return _folder(paths) + LOOK


def take_command(paths: JobPaths, number: int) -> str:
    """A command that succeeds if the lease of this number is the row on stdin."""
    return f"{_folder(paths)}n={number}\n{TAKE}"


def leave_command(paths: JobPaths) -> str:
    """A command that keeps the note on stdin."""
    return _folder(paths) + LEAVE


def row(claim: str, holder: str) -> bytes:
    """The content of the file of one lease."""
    return f"{claim} {shortened(holder, HOLDER_CHARS)}\n".encode()


def read_lease(printed: bytes) -> Lease:
    """The lease that the program has printed. What makes no sense counts as not there."""
    head, _, note = printed.partition(b"note\n")
    words = dict(line.split(" ", 1) for line in head.decode(errors="replace").splitlines() if " " in line)
    found = ROW.fullmatch(words.get("row", ""))
    silent_s = _whole(re.sub("-.*", "0", words.get("silent", "")))  # below zero if the pod's clock was set back
    return Lease(
        number=_whole(words.get("number", "")) or 0,
        claim=found[1] if found else "",
        holder=shortened(found[2], HOLDER_CHARS) if found else "",
        silent_s=None if silent_s is None else float(silent_s),
        job_pid=_whole(words.get("pid", "")),
        note=note[:NOTE_BYTES],
    )


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _folder(paths: JobPaths) -> str:
    return f"g={quote(paths.control_dir)}/guard\n"
