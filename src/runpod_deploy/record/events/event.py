"""The base class of events, and how much text one may have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ...machine.limits import EVENT_TEXT_CHARS, EVENT_TEXTS, LISTED_TEXT_CHARS
from ...spec.instants import EARLIEST
from ...spec.visible import shortened

NEVER = EARLIEST


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a run."""

    ts_utc: datetime = NEVER
    """The time of the event; set by the run that records it."""


def bounded(event: Event) -> Event:
    """The event with its long texts cut: they come from commands, pods and answers, and a row must stay readable."""
    cut = {name: short for name, value in vars(event).items() if (short := shorter(value)) is not value}
    return replace(event, **cut) if cut else event


def shorter(value: Any) -> Any:
    """The same value, unless it is a long text or a list with one."""
    if isinstance(value, str):
        return value if len(value) <= EVENT_TEXT_CHARS else shortened(value, EVENT_TEXT_CHARS)
    if isinstance(value, tuple) and any(is_long(item) for item in (value, *value)):
        return tuple(shortened(item, LISTED_TEXT_CHARS) if is_long(item) else item for item in value[:EVENT_TEXTS])
    return value


def is_long(value: object) -> bool:
    """Whether it is a list or a text of one that has to be cut."""
    if isinstance(value, tuple):
        return len(value) > EVENT_TEXTS
    return isinstance(value, str) and len(value) > LISTED_TEXT_CHARS
