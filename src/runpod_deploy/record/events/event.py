"""The base class of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...spec.instants import EARLIEST

NEVER = EARLIEST


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a run."""

    ts_utc: datetime = NEVER
    """The time of the event; set by the run that records it."""
