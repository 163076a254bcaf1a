"""Single fields of the API's JSON, read with patience: a value that makes no sense is as good as an absent one. Pure.

One odd field must neither end a run whose pod is known nor hide the other rows of a listing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...machine.limits import LARGEST_NUMBER
from ...spec.instants import from_epoch, parse_instant

MILLISECONDS_FROM = 1e11
"""A time above this is in milliseconds: in seconds it would be after the year 5000."""


def text_in(value: object) -> str | None:
    """A text that is not empty; None for any other value."""
    return value if isinstance(value, str) and value else None


def number_in(value: object) -> float | None:
    """A number that an answer can mean, also one that is written as text; None for any other value, like infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST_NUMBER else None


def whole_in(value: object) -> int | None:
    """A whole number that is not negative, also one that is written as text; None for any other value."""
    number = number_in(value)
    return int(number) if number is not None and number >= 0 else None


def size_in(value: object) -> int | None:
    """A size above zero; None for any other value."""
    return whole_in(value) or None


def part_in(row: object, name: str) -> Mapping[str, Any]:
    """The JSON object under this name; an empty one if there is none."""
    part = row.get(name) if isinstance(row, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def parts_in(row: object, name: str) -> list[Mapping[str, Any]]:
    """The JSON objects in the list under this name."""
    listed = row.get(name) if isinstance(row, Mapping) else None
    return [part for part in listed if isinstance(part, Mapping)] if isinstance(listed, list) else []


def instant_in(value: object) -> datetime | None:
    """An instant in ISO 8601, or as seconds or milliseconds since the epoch; None for any other value."""
    if (at := parse_instant(value)) is not None:
        return at
    number = number_in(value)
    if number is None:
        return None
    return from_epoch(number / 1000 if number > MILLISECONDS_FROM else number)
