"""`--tag KEY=VALUE` and `--note TEXT`: what a person says about a run. Knows the flags; knows no run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from ..errors import UsageError
from ..spec.visible import shortened

Function = TypeVar("Function", bound=Callable[..., Any])
MOST_TAGS, LONGEST_CHARS = 50, 2000
KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")


def tag_option(function: Function) -> Function:
    """`--tag KEY=VALUE`, passed as `tag`; see `parse_tags`."""
    return click.option("--tag", multiple=True, metavar="KEY=VALUE", help="A tag of the run; repeatable.")(function)


def note_option(function: Function) -> Function:
    """`--note TEXT`, passed as `note`."""
    return click.option("--note", default="", metavar="TEXT", help="A note about the run, for lists and reports.")(
        function
    )


def parse_tags(pairs: Sequence[str]) -> dict[str, str]:
    """The tags; one without `=` has the value `yes`. Raises UsageError."""
    found = dict(map(parse_tag, pairs))
    if len(found) > MOST_TAGS:
        raise UsageError(f"--tag is given for {len(found)} tags; a run may have {MOST_TAGS}")
    return found


def parse_tag(pair: str) -> tuple[str, str]:
    """Key and value of one tag. Raises UsageError."""
    name, equals, value = pair.partition("=")
    if not KEY.fullmatch(name):
        shown = shortened(pair, 60)
        raise UsageError(f"--tag {shown!r} is not KEY=VALUE", hint="KEY has up to 60 letters, digits, dots, - and _")
    checked_text("--tag", value)
    return name, value if equals else "yes"


def checked_text(flag: str, text: str) -> str:
    """The text. Raises UsageError if it is too long for a note, or is no text that a file can hold."""
    if len(text) > LONGEST_CHARS or "\0" in text:
        raise UsageError(f"{flag}: the text has more than {LONGEST_CHARS:,} characters, or a NUL among them")
    return text


def lines(tags: Mapping[str, str], note: str) -> Iterator[str]:
    """Tags and note for a reader."""
    yield from (f"{name}={value}" for name, value in tags.items())
    if note:
        yield f"note: {note}"
