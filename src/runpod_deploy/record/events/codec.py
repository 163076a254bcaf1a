"""Events as rows on disk, and back. Pure."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import Any

from . import pod, run, work
from .event import NEVER, Event
from .work import JobEvent

OR_NONE = " | None"
TYPES = {"str": str, "int": int, "bool": bool, "datetime": datetime, "tuple": list, "dict": dict}
LARGEST = 1e15
"""No number in a journal is larger; NaN and infinities are none."""


def snake(name: str) -> str:
    """`PodCreated` as `pod_created`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


KINDS: dict[str, type[Event]] = {
    snake(kind.__name__): kind
    for module in (pod, run, work)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}


def to_row(event: Event) -> dict[str, Any]:
    """The event as its row on disk, times as ISO text."""
    if isinstance(event, JobEvent):
        own = {"source": "job", **{k: v for k, v in event.fields.items() if k not in ("event", "source")}}
        return {"ts_utc": event.ts_utc.isoformat(), "event": event.name, **own}
    row: dict[str, Any] = {"ts_utc": event.ts_utc.isoformat(), "event": snake(type(event).__name__)}
    for name, value in dataclasses.asdict(event).items():
        row.setdefault(name.rstrip("_"), value.isoformat() if isinstance(value, datetime) else value)
    return row


def from_row(row: dict[str, Any]) -> Event | None:
    """The event of a row, or None for a row that is not one of ours.

    Fields that we do not know are left out, and so are values of another kind where the event can do without.
    """
    stamp = instant(row.get("ts_utc")) or NEVER
    if row.get("source") == "job":
        fields = {k: v for k, v in row.items() if k not in ("ts_utc", "event", "source")}
        return JobEvent(ts_utc=stamp, name=str(row.get("event")), fields=fields)
    kind = KINDS.get(str(row.get("event")))
    if kind is None or kind is JobEvent:
        return None
    values = {f.name: row[f.name.rstrip("_")] for f in dataclasses.fields(kind) if f.name.rstrip("_") in row}
    values |= {name: instant(value) for name, value in values.items() if name.endswith("_at")}
    values["ts_utc"] = stamp
    for misfit in [f for f in dataclasses.fields(kind) if f.name in values and not fits(f.type, values[f.name])]:
        if str(misfit.type).endswith(OR_NONE):
            values[misfit.name] = None
        else:
            del values[misfit.name]
    try:
        return kind(**values)
    except TypeError:  # a row of that name by another tool, without the fields that we rely on
        return None


def fits(annotation: object, value: object) -> bool:
    """Whether a field that is annotated so can have this value, by whomever the row was written."""
    name = str(annotation)
    if value is None:
        return name.endswith(OR_NONE)
    if name.startswith("float"):
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
    known = TYPES[name.removesuffix(OR_NONE).partition("[")[0]]
    return isinstance(value, known) and isinstance(value, bool) == (known is bool)


def instant(text: object) -> datetime | None:
    """The aware datetime of an ISO text, or None."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
