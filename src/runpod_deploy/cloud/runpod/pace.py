"""The time of the next request: all processes of one user keep the account's rate limit together.

Knows the RateLimit headers (draft-ietf-httpapi-ratelimit-headers, as RunPod sends them) and one small file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...errors import CloudUnreachable
from ...machine import limits
from ...machine.clock import Clock
from ...machine.locks import locked

RESERVE = 1 / 6
"""The last part of a window's quota, which is spread over the rest of the window."""
MAX_WAIT_S = 180.0
"""The longest that one request waits for its turn."""
LOCK_TIMEOUT_S = 5.0
"""The lock is normally held for milliseconds."""


@dataclass(frozen=True, slots=True)
class Window:
    """The window of the rate limit that limits most, as the last answer described it."""

    remaining: int
    quota: int
    resets_at: float
    """Seconds since the epoch."""
    next_at: float = 0.0
    """No request may be sent before this time; seconds since the epoch."""
    stored_at: float = 0.0
    """When it was stored; seconds since the epoch."""


class Pace:
    """Turns for requests. Processes with the same folder share the limit."""

    def __init__(self, clock: Clock, folder: Path | None) -> None:
        self._clock = clock
        self._path = None if folder is None else folder / "pace.json"
        self._own: Window | None = None

    def wait(self) -> None:
        """A request may be sent now. Raises CloudUnreachable if the next turn is more than MAX_WAIT_S away."""
        with self._shared() as window:
            delay_s = self._reserve(window) if window else 0.0
        if delay_s > MAX_WAIT_S:
            raise CloudUnreachable(
                f"RunPod's request limit is used up for the next {delay_s / 60:.0f} minutes",
                hint="other programs use the same account: wait, or ask less often",
            )
        if delay_s > 0:
            self._clock.sleep(delay_s)

    def learn(self, headers: Mapping[str, str]) -> None:
        """All processes know what the answer says about the limit."""
        reported = parse_window(headers, self._now())
        if reported is None:
            return
        with self._shared() as window:
            if window and abs(window.resets_at - reported.resets_at) < 3:
                # Answers overtake each other: within one window the count only falls.
                reported = replace(
                    reported, remaining=min(window.remaining, reported.remaining), next_at=window.next_at
                )
            self._store(reported)

    def pause_all(self, seconds: float) -> None:
        """No process sends a request for that many seconds, as the API has asked."""
        until = self._now() + seconds
        with self._shared() as window:
            known = window or Window(remaining=0, quota=1, resets_at=until)
            self._store(replace(known, next_at=max(known.next_at, until)))

    def _reserve(self, window: Window) -> float:
        """A turn is reserved, and this many seconds remain until it."""
        now = self._now()
        if now >= max(window.resets_at, window.next_at):
            return 0.0
        at = max(now, window.next_at)
        if now < window.resets_at and window.remaining <= 0:
            at = max(at, window.resets_at)
        spread = gap_s(window, now)
        self._store(replace(window, remaining=window.remaining - 1, next_at=at + spread if spread else at))
        return at - now

    @contextmanager
    def _shared(self) -> Iterator[Window | None]:
        """The shared window, which no other process changes during this block."""
        with ExitStack() as held:
            window = self._own
            if self._path is not None:
                # If the holder of the lock is suspended or the folder cannot be written, this process is alone.
                with suppress(OSError):
                    lock = locked(Path(f"{self._path}.lock"), self._clock, within_s=LOCK_TIMEOUT_S)
                    held.enter_context(lock)
                    window = read_window(self._path)
            yield window if window and is_credible(window, self._now()) else None

    def _store(self, window: Window) -> None:
        self._own = replace(window, stored_at=self._now())
        if self._path is not None:
            # On a full disk only the sharing is lost; the run goes on.
            with suppress(OSError):
                self._path.write_text(json.dumps(asdict(self._own)))

    def _now(self) -> float:
        return self._clock.now().timestamp()


def is_credible(window: Window, now: float) -> bool:
    """Whether its times are those of this clock: a clock that was set back leaves windows from the future."""
    longest = now + limits.LONGEST_WINDOW_S
    return window.stored_at <= now and max(window.resets_at, window.next_at) <= longest


def gap_s(window: Window, now: float) -> float:
    """The seconds to leave between two requests; 0 while much of the quota is left."""
    left_s = window.resets_at - now
    if left_s <= 0 or window.remaining > window.quota * RESERVE:
        return 0.0
    return min(left_s, left_s / max(1, window.remaining))


def parse_window(headers: Mapping[str, str], now: float) -> Window | None:
    """The window that limits most, from `"minute";r=58;t=41, "hour";r=2998;t=3511`; None without such a header."""
    quotas = dict(re.findall(r'"(\w+)";q=(\d{1,9})', headers.get("ratelimit-policy", "")))
    rows = re.findall(r'"(\w+)";r=(\d{1,9});t=(\d{1,9})', headers.get("ratelimit", ""))
    windows = [
        Window(remaining=int(r), quota=int(quotas.get(name, 60)), resets_at=now + min(int(t), limits.LONGEST_WINDOW_S))
        for name, r, t in rows
    ]
    return max(windows, key=lambda window: gap_s(window, now), default=None) if windows else None


def read_window(path: Path) -> Window | None:
    """The window in the file; None if there is none or it makes no sense."""
    try:
        known = json.loads(path.read_bytes())
        times = {name: float(known[name]) for name in ("resets_at", "next_at", "stored_at")}
        return Window(remaining=int(known["remaining"]), quota=int(known["quota"]), **times)
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
