"""A list from the API that all processes of a user share. Knows the file and its age; knows no HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...machine.clock import Clock
from ...machine.limits import ANSWER_BYTES
from ...machine.locks import locked
from ...machine.reading import read_limited
from ...spec import strict_json
from .rate_window import Window, usual

WINDOW_S = 60.0
GAP_S = 0.15
"""The shortest pause between two listings: processes that ask at nearly the same time share one."""
SHARE = 0.5
"""The part of the account's limit that listings may take, however many processes ask."""
LOCK_TIMEOUT_S = 45.0
"""More than one listing takes."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The last listing, as it is stored."""

    began_at: tuple[float, ...]
    """When this listing and those of the minute before it began, in seconds since the epoch."""
    rows: list[Row]


class SharedList:
    """One list of the API, at most as old as the caller allows."""

    def __init__(
        self,
        fetch: Callable[[], list[Row]],
        clock: Clock,
        folder: Path | None,
        name: str = "pods",
        limit: Callable[[], Window] | None = None,
    ) -> None:
        """`limit` tells what is left of the account's rate limit; without it, the smallest one is assumed."""
        self._fetch = fetch
        self._clock = clock
        self._limit = limit or (lambda: usual(self._now()))
        self._path = None if folder is None else folder / f"{name}.json"
        self._own = StoredRows((), [])

    def fresh(self) -> list[Row]:
        """The rows of a listing that begins now, without a pause: for a person who waits."""
        return self._list(at_once=True)

    def rows(self, max_age_s: float) -> list[Row]:
        """The rows of a listing that began at most max_age_s before this call; with 0, of one that began after it."""
        since = self._now() - max_age_s
        if (rows := self._cached(since)) is not None:
            return rows
        if self._path is None:
            return self._list()
        try:
            with locked(Path(f"{self._path}.lock"), self._clock, within_s=LOCK_TIMEOUT_S):
                rows = self._cached(since)
                return self._list() if rows is None else rows
        except OSError:
            # The holder of the lock is suspended, or the folder cannot be written.
            return self._list()

    def _cached(self, since: float) -> list[Row] | None:
        """The rows of a listing of any process that began after that time; None if there is none."""
        stored = self._read()
        return stored.rows if stored.began_at and since <= stored.began_at[-1] else None

    def _list(self, *, at_once: bool = False) -> list[Row]:
        """The rows of a listing that begins now, or as soon as the pause after the one before is over."""
        recent = self._read().began_at
        if recent and not at_once:
            self._clock.sleep(max(0.0, recent[-1] + pause_s(self._limit(), recent) - self._now()))
        began_at = self._now()
        rows = self._fetch()
        self._own = StoredRows((*recent, began_at), rows)
        self._write()
        return rows

    def _read(self) -> StoredRows:
        """The last listing, with the times of those of the last minute; without rows if its time is in the future."""
        stored = self._own if self._path is None else read_stored(self._path) or self._own
        now = self._now()
        if not is_credible(stored, now):
            return StoredRows((), [])
        recent = tuple(at for at in stored.began_at if now - WINDOW_S < at <= now)
        return StoredRows(recent or stored.began_at[-1:], stored.rows)

    def _write(self) -> None:
        """Other processes see the listing whole or not at all. On a full disk only the sharing is lost."""
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(asdict(self._own)))
            fresh.replace(self._path)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def pause_s(limit: Window, began_at: tuple[float, ...]) -> float:
    """The pause after the last of these listings, which all began within a minute.

    It is short while most of the limit is left. Then what is left of the listings' share is spread over the time until
    the first of them is a minute old, so that they never take more than their share.
    """
    share = max(1, int(SHARE * limit.quota * WINDOW_S / limit.length_s))
    if 2 * len(began_at) < share and 2 * limit.remaining > limit.quota:
        return GAP_S
    left_s = began_at[0] + WINDOW_S - began_at[-1]
    return max(GAP_S, left_s / max(1, share - len(began_at)))


def read_stored(path: Path) -> StoredRows | None:
    """The listing in the file; None if there is none or it cannot be read."""
    try:
        stored = strict_json.loads(read_limited(path, 2 * ANSWER_BYTES))
        rows = [row for row in stored["rows"] if isinstance(row, dict)]
        return StoredRows(tuple(map(float, stored["began_at"])), rows)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def is_credible(stored: StoredRows, now: float) -> bool:
    """Whether its time is in the past: a clock that was set back leaves listings from the future."""
    return bool(stored.began_at) and stored.began_at[-1] <= now
