"""The numbers and links that a job reports: the last value of each, by name. Pure; knows no event and no file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..machine.limits import JOB_LINK_CHARS, JOB_LINKS, JOB_METRICS, JOB_NAME_CHARS
from ..spec.plain import LARGEST, is_number

Numbers = tuple[tuple[str, float], ...]
"""Names and values, in the order in which the names were reported first."""
Links = tuple[tuple[str, str], ...]
"""Names and addresses of pages, in the order in which the names were reported first."""
LINK = re.compile(r"https?://[!#-;=?-~]+")
NOT_METRICS = ("event", "log_offset")
"""Fields of a job's event that say nothing about its results."""


def values_in(record: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, float | None]]:
    """The numbers of a record by name, those of inner objects as `outer.inner`. None is a number that is not finite."""
    for key, value in record.items():
        name = f"{inside}{key}"[:JOB_NAME_CHARS]
        if isinstance(value, Mapping):
            yield from values_in(value, f"{name}.")
        elif value is None or is_number(value):
            yield name, value


def reported(before: Numbers, values: Iterable[tuple[str, float | None]]) -> Numbers:
    """The numbers after these were reported, too. A number that is not finite any more is unknown.

    Names beyond JOB_METRICS are left out.
    """
    known: dict[str, float] = dict(before)
    for name, value in values:
        if value is None:
            known.pop(name, None)
        elif name in known or len(known) < JOB_METRICS:
            known[name] = value
    return tuple(known.items())


def in_event(fields: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """The numbers in the fields of a job's event."""
    return ((name, value) for name, value in values_in(fields) if name not in NOT_METRICS)


def linked(before: Links, name: str, fields: Mapping[str, Any]) -> Links:
    """The links after an event of the job: the page in its `url` has the event's name. Too many names are left out."""
    known, url = dict(before), fields.get("url")
    if is_link(url) and (name in known or len(known) < JOB_LINKS):
        known[name] = str(url)
    return tuple(known.items())


def is_link(value: object) -> bool:
    """Whether a value is the address of a page, and nothing else that a browser would follow."""
    return isinstance(value, str) and len(value) <= JOB_LINK_CHARS and LINK.fullmatch(value) is not None


def rounded(value: float, digits: int = 4) -> str:
    """The number with so many digits that count: `0.9132`, `1.2e-05`, `1234567`."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < LARGEST):
        return str(int(value))
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
