"""One window of a rate limit, as answers describe it. Pure; knows the RateLimit headers and no file.

The headers are those of draft-ietf-httpapi-ratelimit-headers, as RunPod sends them (2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...machine import limits

RESERVE = 1 / 6
"""The last part of a window's quota, which is spread over the rest of the window."""
USUAL_QUOTA, USUAL_LENGTH_S = 60, 60.0
"""The smallest quota of RunPod's keys (2026-11), assumed until an answer tells more."""
NO_LIMIT = 1_000_000
"""The quota of an API that names none."""


@dataclass(frozen=True, slots=True)
class Window:
    """The window that limits most."""

    remaining: int
    quota: int
    resets_at: float
    """Seconds since the epoch."""
    length_s: float = USUAL_LENGTH_S
    next_at: float = 0.0
    """No request may be sent before this time; seconds since the epoch."""
    stored_at: float = 0.0
    """When it was stored; seconds since the epoch."""
    assumed: bool = False
    """Whether no answer has described this window yet."""

    @property
    def burst(self) -> int:
        """The number of requests that may be sent at once."""
        return max(0, self.remaining - int(self.quota * RESERVE))

    def current(self, now: float) -> Window:
        """This window, or the one after it if this one is over."""
        if now < self.resets_at:
            return self
        return replace(self, remaining=self.quota, resets_at=now + self.length_s, assumed=True)

    def free_at(self, now: float) -> float:
        """When the next request may be sent, in seconds since the epoch."""
        return max(now, self.next_at, self.resets_at if self.remaining <= 0 else now)

    def used(self, now: float) -> Window:
        """The window after one more request."""
        spread = replace(self, remaining=self.remaining - 1)
        return replace(spread, next_at=max(self.next_at, now + gap_s(spread, now)))


def usual(now: float) -> Window:
    """The window to assume before the first answer."""
    return Window(USUAL_QUOTA, USUAL_QUOTA, now + USUAL_LENGTH_S, assumed=True)


def gap_s(window: Window, now: float) -> float:
    """The seconds to leave between two requests; 0 while much of the quota is left."""
    left_s = window.resets_at - now
    if left_s <= 0 or window.burst > 0:
        return 0.0
    return min(left_s, left_s / max(1, window.remaining))


def learned(known: Window | None, headers: Mapping[str, str], now: float) -> Window | None:
    """What is known after an answer with these headers. Requests that are under way count as sent."""
    reported = parse_window(headers, now)
    if known is None:
        return reported
    if reported is None:
        return replace(known, remaining=NO_LIMIT, quota=NO_LIMIT) if known.assumed else known
    if known.assumed:
        sent = known.quota - known.remaining
        return replace(reported, remaining=min(reported.remaining, reported.quota - sent), next_at=known.next_at)
    if abs(known.resets_at - reported.resets_at) < 3:
        # Answers overtake each other: within one window the count only falls.
        return replace(reported, remaining=min(known.remaining, reported.remaining), next_at=known.next_at)
    return reported


def parse_window(headers: Mapping[str, str], now: float) -> Window | None:
    """The window that limits most, from `"minute";r=58;t=41, "hour";r=2998;t=3511`; None without such a header."""
    policies = re.findall(r'"(\w+)";q=(\d{1,9})(?:;w=(\d{1,9}))?', headers.get("ratelimit-policy", ""))
    quotas = {name: (int(quota), float(length or USUAL_LENGTH_S)) for name, quota, length in policies}
    rows = re.findall(r'"(\w+)";r=(\d{1,9});t=(\d{1,9})', headers.get("ratelimit", ""))
    windows = [_window(quotas.get(name, (USUAL_QUOTA, USUAL_LENGTH_S)), int(r), int(t), now) for name, r, t in rows]
    return max(windows, key=lambda window: gap_s(window, now), default=None)


def _window(policy: tuple[int, float], remaining: int, left_s: int, now: float) -> Window:
    quota, length_s = policy
    resets_at = now + min(left_s, limits.LONGEST_WINDOW_S)
    return Window(remaining, quota, resets_at, max(1.0, min(length_s, limits.LONGEST_WINDOW_S)))
