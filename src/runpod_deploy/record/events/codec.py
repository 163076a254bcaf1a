"""Events as rows on disk, and back. Pure.

A row that another tool, a later version or a full disk has left is never an error: what can be read of it is read,
and the caller is given a sentence about the rest.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from typing import Any, NamedTuple

from ...spec.plain import Misfit, Reader, field_readers, to_plain
from . import cost, job, pod, run, work
from .event import Event
from .job import JobEvent

Skipped = Callable[[str], None]
"""Receives a sentence about each row, or field of a row, that could not be read."""
COMMON_FIELDS = ("ts_utc", "event", "pod_id", "gpu_id", "datacenter_id")
"""Every row may have these, whether or not its event has such fields."""
OURS = (*COMMON_FIELDS, "source")
"""The fields that the run sets in every row, and that a job cannot set."""


class Column(NamedTuple):
    """A field of an event as its rows have it."""

    name: str
    """The field's name in the class."""
    read: Reader
    required: bool


def ignore(_sentence: str) -> None:
    """Nobody wants to know what was skipped."""


def snake(name: str) -> str:
    """`PodCreated` as `pod_created`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


EVENT_KINDS: dict[str, type[Event]] = {
    snake(kind.__name__): kind
    for module in (pod, run, cost, work, job)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}


@functools.cache
def columns(event_name: str) -> dict[str, Column]:
    """The fields of an event, by their names on disk: `from_` is `from`."""
    kind: Any = EVENT_KINDS[event_name]
    readers = field_readers(kind)
    return {
        field.name.rstrip("_"): Column(
            field.name, readers[field.name], field.default is MISSING and field.default_factory is MISSING
        )
        for field in fields(kind)
    }


def to_row(event: Event) -> dict[str, Any]:
    """The event as its row on disk."""
    if isinstance(event, JobEvent):
        stamp = {"ts_utc": event.ts_utc.isoformat(), "event": job_name(event.name)}
        return {**stamp, "source": "job", **job_fields(event.fields)}
    name = snake(type(event).__name__)
    row = {key: to_plain(getattr(event, column.name)) for key, column in columns(name).items()}
    return {"ts_utc": row.pop("ts_utc"), "event": name, **row}


def job_name(name: str) -> str:
    """The name of a job's event; `job:` is put before the name of an event of ours, which scripts may look for."""
    return f"job:{name}" if name in EVENT_KINDS else name


def job_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a job's event; those that only a run sets are kept as `job_pod_id` and so on."""
    return {f"job_{key}" if key in OURS else key: value for key, value in given.items() if key != "event"}


def from_row(row: dict[str, Any], skipped: Skipped = ignore) -> Event | None:
    """The event of a row; None if it is no event of this version.

    A value of a wrong type costs the event only if the event cannot do without it.
    """
    if row.get("source") == "job":
        return job_event(row, skipped)
    name = row.get("event")
    if not isinstance(name, str) or name not in EVENT_KINDS or EVENT_KINDS[name] is JobEvent:
        skipped(f"unknown event {name!r}")
        return None
    values = dict(known_values(row, columns(name), skipped))
    if lacking := [key for key, column in columns(name).items() if column.required and column.name not in values]:
        skipped(f"{name}: no usable {', '.join(lacking)}")
        return None
    return EVENT_KINDS[name](**values)


def job_event(row: dict[str, Any], skipped: Skipped) -> JobEvent:
    """The event of a row that the job asked for; all that it has is kept."""
    own = {key: value for key, value in row.items() if key not in ("ts_utc", "event", "source")}
    stamp = {"event": "job_event", "ts_utc": row.get("ts_utc")}
    return JobEvent(**dict(known_values(stamp, columns("job_event"), skipped)), name=str(row.get("event")), fields=own)


def known_values(row: dict[str, Any], columns: dict[str, Column], skipped: Skipped) -> Iterator[tuple[str, Any]]:
    """The fields of the event that can be read from the row."""
    for key, value in row.items():
        column = columns.get(key)
        if column is None:
            if key not in COMMON_FIELDS:
                skipped(f"{row['event']}: unknown field {key!r}")
            continue
        try:
            yield column.name, column.read(value)
        except Misfit as error:
            skipped(f"{row['event']}: {key}: {error}")
            if accepts_none(column.read):
                yield column.name, None


def accepts_none(read: Reader) -> bool:
    """Whether the field may be None."""
    try:
        return read(None) is None
    except Misfit:
        return False
