"""Writes data to stdout and messages to stderr. Knows the two streams; knows no command and no click."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TextIO, cast

from ..spec.strict_json import dumps
from ..spec.visible import visible

LINES_AT_ONCE = 512


@dataclass(slots=True)
class Wishes:
    """The flags of this process's one command that concern its output."""

    quiet: bool = False
    plain: bool = False


_wishes = Wishes()


def configure(*, quiet: bool, plain: bool) -> None:
    """From now on `info` is silent if quiet, and nothing is drawn if plain."""
    _wishes.quiet, _wishes.plain = quiet, plain


def can_draw(stream: TextIO | None = None, *, plain: bool = False) -> bool:
    """Whether the stream (stdout by default) is a terminal with colours, and nobody asked for plain text."""
    asked_plain = plain or _wishes.plain or bool(os.environ.get("NO_COLOR"))
    dumb = os.environ.get("TERM", "dumb") == "dumb"
    return (stream or sys.stdout).isatty() and not asked_plain and not dumb


def is_terminal() -> bool:
    """Whether stdout is a terminal, which obeys control codes."""
    return sys.stdout.isatty()


def terminal_width() -> int | None:
    """The number of columns of the terminal that stdout is; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def open_closed_streams() -> None:
    """stdin, stdout and stderr are open: what the caller has closed, as `>&-` does, leads nowhere.

    Otherwise the next file that is opened, such as the journal, would get what a library or a child writes there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


def print_lines(lines: Iterable[str]) -> int:
    """The number of lines that are on stdout now. Each takes one line there, whatever characters it holds."""
    escape_what_cannot_be_encoded(sys.stdout)
    rest, count = iter(lines), 0
    while batch := list(islice(rest, LINES_AT_ONCE)):
        sys.stdout.write("\n".join(map(visible, batch)) + "\n")
        count += len(batch)
    sys.stdout.flush()
    return count


def print_json(value: Any) -> None:
    """The value is on stdout as indented JSON."""
    sys.stdout.write(dumps(value, indent=2) + "\n")
    sys.stdout.flush()


def print_bytes(data: bytes) -> None:
    """The bytes are on stdout as they are; as text where stdout takes only text, as in a notebook."""
    if raw := getattr(sys.stdout, "buffer", None):
        sys.stdout.flush()
        raw.write(data)
    else:
        sys.stdout.write(data.decode(errors="replace"))
    sys.stdout.flush()


def print_err(text: str) -> None:
    """The text is on stderr, whatever the flags. A stderr that nobody reads changes no exit code."""
    with suppress(OSError):
        write_err("".join(visible(line, keep="\t") + "\n" for line in text.splitlines() or [""]))


def write_err(text: str) -> None:
    """The text is on stderr as it is. Raises BrokenPipeError if nobody reads there any more."""
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()


def info(message: str) -> None:
    """The message is on stderr, unless the command was asked to be quiet."""
    if not _wishes.quiet:
        print_err(visible(message))


def warn(path: str, reason: str) -> None:
    """stderr names something that could not be read, whatever the flags."""
    print_err(visible(f"warning: {path}: {reason}"))


def flush_or_discard(stream: TextIO | None) -> None:
    """The stream's buffer is empty. Data that nobody reads is discarded: Python would complain about it at exit."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), cast(TextIO, stream).fileno())


def escape_what_cannot_be_encoded(stream: TextIO) -> None:
    """A character that the stream's encoding lacks is written as an escape, not refused."""
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")
