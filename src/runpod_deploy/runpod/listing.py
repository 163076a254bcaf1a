"""One look at all pods, shared by every process of one user. Knows a file and its age; knows no HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..clock import Clock
from ..provenance import MARKS

GAP_S = 2.0
"""Least time between two listings, whoever asks: thirty a minute, half of the least quota seen."""
LOCK_PATIENCE_S = 45.0
"""Longer than one listing takes."""

Row = dict[str, Any]


class Listing:
    """The pods of the account, as old as the caller allows."""

    def __init__(self, fetch: Callable[[], list[Row]], clock: Clock, folder: Path | None) -> None:
        self._fetch = fetch
        self._clock = clock
        self._path = None if folder is None else folder / "pods.json"
        self._own: tuple[float, list[Row]] = (0.0, [])

    def fresh(self) -> list[Row]:
        """Pods as listed now, whoever has just listed them: for a person, whom no gap holds up."""
        return self._list(gap_s=0.0)

    def rows(self, max_age_s: float) -> list[Row]:
        """Pods as listed at most so long before this call; 0: by a listing that began after it."""
        since = self._now() - max_age_s
        if (rows := self._known(since)) is not None:
            return rows
        if self._path is None:
            return self._list()
        try:
            with FileLock(f"{self._path}.lock", timeout=LOCK_PATIENCE_S):
                rows = self._known(since)
                return self._list() if rows is None else rows
        except Timeout:
            # Whoever lists is suspended: go on without it.
            return self._list()

    def _known(self, since: float) -> list[Row] | None:
        """What was listed after that time, by whomever."""
        began_at, rows = self._read()
        return rows if since <= began_at <= self._now() else None

    def _list(self, gap_s: float = GAP_S) -> list[Row]:
        """A listing that begins now, or as soon as the gap to the one before is over."""
        began_at, _ = self._read()
        self._clock.sleep(min(gap_s, max(0.0, began_at + gap_s - self._now())))
        began_at = self._now()
        rows = [without_secrets(row) for row in self._fetch()]
        self._own = (began_at, rows)
        self._write()
        return rows

    def _read(self) -> tuple[float, list[Row]]:
        if self._path is None:
            return self._own
        try:
            stored = json.loads(self._path.read_text())
            return float(stored["began_at"]), list(stored["pods"])
        except (OSError, ValueError, KeyError, TypeError):
            return self._own

    def _write(self) -> None:
        """Others see the listing, whole or not at all. A full disk costs the sharing, not the run."""
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps({"began_at": self._own[0], "pods": self._own[1]}))
            fresh.replace(self._path)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def without_secrets(row: Row) -> Row:
    """The pod with no more of its environment than our own marks: the rest may be nobody's business."""
    env = row.get("env") or {}
    return {**row, "env": {mark: env[mark] for mark in MARKS if mark in env}}
