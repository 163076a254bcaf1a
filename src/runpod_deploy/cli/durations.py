"""Durations as people type them: `90s`, `30m`, `2h`, `1d`. Every flag that takes one uses this parser and its error."""

from __future__ import annotations

import re
from datetime import timedelta

import click

from ..errors import UsageError

WRITTEN = re.compile(r"(\d+(?:\.\d+)?)([smhd])", re.ASCII)
SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_duration(text: str) -> timedelta | None:
    """The duration, or None if the text is not one."""
    found = WRITTEN.fullmatch(text.strip())
    try:
        return timedelta(**{UNITS[found[2]]: float(found[1])}) if found else None
    except OverflowError:
        return None


class Duration(click.ParamType[timedelta]):
    """The type of an option that takes a duration; its value is a timedelta."""

    name = "duration"

    def __init__(self, *, bare_seconds: bool = False) -> None:
        self.bare_seconds = bare_seconds
        """Whether a number without a unit means seconds, as `--wait` has always understood it."""

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ARG002
        """The duration. Raises UsageError."""
        if isinstance(value, timedelta):
            return value
        text = f"{value}s" if self.bare_seconds and SECONDS.fullmatch(value) else value
        if (read := read_duration(text)) is not None:
            return read
        flag = f"{param.opts[0]}: " if param else ""
        raise UsageError(f"{flag}{value!r} is not a duration", hint="write a number and s, m, h or d: 90s, 30m, 2h, 1d")
