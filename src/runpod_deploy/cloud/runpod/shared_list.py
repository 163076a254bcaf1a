"""One look for all: a list of rows that every process of one user shares. Knows a file and its age, no HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from ...machine.clock import Clock

WINDOW_S = 60.0
GAP_S = 0.15
"""Least time between two listings, whoever asks, for each listing of the last minute: the first come at once, and
however many ask, there are at most 28 in the first minute and 20 in each that follows (the least quota seen is 60).
"""
LOCK_PATIENCE_S = 45.0
"""Longer than one listing takes."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """The last listing."""

    began_at: tuple[float, ...]
    """When it and those of the minute before it began, in seconds since the epoch."""
    rows: list[Row]


class Listing:
    """A list of the cloud's, as old as the caller allows."""

    def __init__(self, fetch: Callable[[], list[Row]], clock: Clock, folder: Path | None, name: str = "pods") -> None:
        self._fetch = fetch
        self._clock = clock
        self._path = None if folder is None else folder / f"{name}.json"
        self._own = Listed((), [])

    def fresh(self) -> list[Row]:
        """The rows as they are now, whoever has just listed them: for a person, whom no gap holds up."""
        return self._list(gap_s=0.0)

    def rows(self, max_age_s: float) -> list[Row]:
        """The rows as listed at most so long before this call; 0: by a listing that began after it."""
        since = self._now() - max_age_s
        if (rows := self._known(since)) is not None:
            return rows
        if self._path is None:
            return self._list()
        try:
            with FileLock(f"{self._path}.lock", timeout=LOCK_PATIENCE_S):
                rows = self._known(since)
                return self._list() if rows is None else rows
        except OSError:
            # Whoever lists is suspended (filelock.Timeout is an OSError), or the folder is not ours to write.
            return self._list()

    def _known(self, since: float) -> list[Row] | None:
        """What was listed after that time, by whomever."""
        listed = self._read()
        return listed.rows if listed.began_at and since <= listed.began_at[-1] else None

    def _list(self, gap_s: float = GAP_S) -> list[Row]:
        """A listing that begins now, or as soon as the gap to the one before is over."""
        recent = self._read().began_at
        if recent:
            self._clock.sleep(max(0.0, recent[-1] + gap_s * len(recent) - self._now()))
        began_at = self._now()
        rows = self._fetch()
        self._own = Listed((*recent, began_at), rows)
        self._write()
        return rows

    def _read(self) -> Listed:
        """The last listing, and when those of the last minute began; none from the future."""
        listed = self._own if self._path is None else read_listed(self._path) or self._own
        now = self._now()
        recent = tuple(at for at in listed.began_at if now - WINDOW_S < at <= now)
        return Listed(recent or listed.began_at[-1:], listed.rows) if in_past(listed, now) else Listed((), [])

    def _write(self) -> None:
        """Others see the listing, whole or not at all. A full disk costs the sharing, not the run."""
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(asdict(self._own)))
            fresh.replace(self._path)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def read_listed(path: Path) -> Listed | None:
    """The listing in the file; None if there is none or it makes no sense."""
    try:
        stored = json.loads(path.read_text())
        return Listed(tuple(map(float, stored["began_at"])), list(stored["rows"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def in_past(listed: Listed, now: float) -> bool:
    """Whether it can be believed: a clock that was set back leaves listings from the future."""
    return bool(listed.began_at) and listed.began_at[-1] <= now
