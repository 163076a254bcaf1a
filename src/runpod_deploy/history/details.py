"""The records of one run dir, limited to what fits on a page. Knows files; memory stays flat, whatever their size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from ..machine.reading import read_end
from ..record.paths import EVENTS_NAME, LOG_NAME, METRICS_NAME
from .events import Row, read_rows
from .folders import Unreadable, holds
from .manifests import Manifest

T = TypeVar("T")
MOST_EVENTS = 300
MOST_SAMPLES = 240
LOG_BYTES, LOG_LINES = 32_768, 20
FREQUENT_EVENTS = ("heartbeat", "stage_progressed")
"""Events that come many times and are left out."""


@dataclass(frozen=True, slots=True)
class Details:
    """The records of one run."""

    path: Path
    manifest: Manifest
    """Empty if there is no readable manifest."""
    events: list[Row]
    events_left_out: int
    samples: list[Row]
    """Metrics, thinned out evenly."""
    log_tail: tuple[str, ...] = ()
    """The last lines of the job's log."""


def read_details(run_dir: Path, manifest: Manifest | None, unreadable: Unreadable) -> Details:
    """The manifest and the other records of the run dir. `unreadable` is called for what cannot be read."""
    rows = (row for row in rows_in(run_dir, EVENTS_NAME, unreadable) if row.get("event") not in FREQUENT_EVENTS)
    events = list(islice(rows, MOST_EVENTS))
    left_out = sum(1 for _ in rows)
    samples = thinned(rows_in(run_dir, METRICS_NAME, unreadable), MOST_SAMPLES)
    return Details(run_dir, manifest or {}, events, left_out, samples, log_tail(run_dir))


def log_tail(run_dir: Path) -> tuple[str, ...]:
    """The last lines of the job's log that are not blank; of a progress bar, what it showed last."""
    try:
        text = read_end(run_dir / LOG_NAME, LOG_BYTES).decode(errors="replace")
    except OSError:
        return ()
    lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n"))
    return tuple([line for line in lines if line.strip()][-LOG_LINES:])


def rows_in(run_dir: Path, name: str, unreadable: Unreadable) -> Iterator[Row]:
    """The rows of a file; none if it does not exist."""
    return read_rows(run_dir / name, unreadable) if holds(run_dir, name, unreadable) else iter(())


def thinned(items: Iterable[T], most: int) -> list[T]:
    """At most so many of the items, evenly spread, including the first and the last."""
    kept: list[T] = []
    step, last = 1, []
    for index, item in enumerate(items):
        last = [item]
        if index % step == 0:
            kept.append(item)
        if len(kept) == most:
            kept, step = kept[::2], step * 2
    ends_with_last = bool(kept) and kept[-1] is last[0]
    return kept if ends_with_last else list(chain(kept, last))
