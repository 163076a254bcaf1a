"""What commands write: data to stdout, talk to stderr. Knows streams and -q, -v, --no-color."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

import click

if TYPE_CHECKING:
    from ..config import Finding

from .options import INFO, plain_option, verbosity_options

Function = TypeVar("Function", bound=Callable[..., Any])
LINES_AT_ONCE = 512
QUIET = "runpod_deploy.quiet"
PLAIN = "runpod_deploy.plain"


def output_options(function: Function) -> Function:
    """Gives a command -v, -q and --no-color. They act on this module; the function does not see them."""

    @wraps(function)
    def call(*args: Any, verbosity: int, no_color: bool, **given: Any) -> Any:
        click.get_current_context().meta.update({QUIET: verbosity > INFO, PLAIN: no_color})
        return function(*args, **given)

    return plain_option(verbosity_options(cast(Function, call)))


def put(lines: Iterable[str]) -> int:
    """How many lines are on stdout now, each on one line of its own whatever characters it holds."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    rest, count = iter(lines), 0
    while batch := list(islice(rest, LINES_AT_ONCE)):
        sys.stdout.write("\n".join(map(visible, batch)) + "\n")
        count += len(batch)
    sys.stdout.flush()
    return count


def put_json(value: Any) -> None:
    """The value is on stdout as indented JSON."""
    sys.stdout.write(json_text(value, indent=2) + "\n")
    sys.stdout.flush()


def json_text(value: Any, indent: int | None = None) -> str:
    """The value as JSON that every parser takes: what records call a number and is none, such as NaN, is null."""
    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), indent=indent)


def finite(value: Any) -> Any:
    """The value with null in place of NaN and infinities, however deep."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def visible(line: str) -> str:
    """The line with its control characters escaped: records may hold anything, and terminals obey."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)


def utter(line: str) -> None:
    """The line is on stderr, if anybody reads there: words that nobody hears change no exit code."""
    with suppress(OSError):
        click.echo(line, err=True)


def let_go(stream: TextIO | None) -> None:
    """Nothing is left in the stream's buffer; what nobody reads goes nowhere, or the interpreter complains at exit."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), cast(TextIO, stream).fileno())


def say(message: str) -> None:
    """Talk: on stderr, unless -q."""
    if not click.get_current_context().meta.get(QUIET):
        click.echo(visible(message), err=True)


def warn(path: str, reason: str) -> None:
    """Names something that could not be read, on stderr, whatever the flags."""
    click.echo(visible(f"warning: {path}: {reason}"), err=True)


def is_screen() -> bool:
    """Whether a person looks at stdout, on a terminal with colours that nobody has asked to do without."""
    plain = click.get_current_context().meta.get(PLAIN) or os.environ.get("NO_COLOR")
    return sys.stdout.isatty() and not plain and os.environ.get("TERM") != "dumb"


def tell(findings: Iterable[Finding], verbosity: int) -> None:
    """Every finding that is no error is on stderr; notes only if talk is wanted."""
    for finding in findings:
        if finding.level == "warning" or (finding.level == "note" and verbosity <= INFO):
            click.echo(f"{finding.level}: {finding}", err=True)
