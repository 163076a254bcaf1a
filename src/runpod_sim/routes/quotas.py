"""Request quotas, and the headers that report them. Knows windows; knows no routes."""

from __future__ import annotations

from dataclasses import dataclass, field

WINDOWS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(slots=True)
class Limits:
    """Fixed windows for each key."""

    quotas: dict[str, int]
    """Requests by window."""
    _counts: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def take(self, key: str, at: float) -> tuple[str, int] | None:
        """None, and one request is counted; or the window that is used up and the seconds until the next."""
        for window, seconds in WINDOWS.items():
            if self._count(key, window, at) >= self.quotas[window]:
                return window, int(seconds - at % seconds) + 1
        for window, seconds in WINDOWS.items():
            slot = (key, window, int(at // seconds))
            self._counts[slot] = self._counts.get(slot, 0) + 1
        return None

    def headers(self, key: str, at: float) -> dict[str, str]:
        """RateLimit and RateLimit-Policy."""
        left = ", ".join(
            f'"{window}";r={self._left(key, window, at)};t={int(seconds - at % seconds)}'
            for window, seconds in WINDOWS.items()
        )
        policy = ", ".join(f'"{window}";q={self.quotas[window]};w={seconds}' for window, seconds in WINDOWS.items())
        return {"RateLimit": left, "RateLimit-Policy": policy}

    def _left(self, key: str, window: str, at: float) -> int:
        return max(0, self.quotas[window] - self._count(key, window, at))

    def _count(self, key: str, window: str, at: float) -> int:
        return self._counts.get((key, window, int(at // WINDOWS[window])), 0)


def quotas(per_minute: int) -> dict[str, int]:
    """Quotas in the proportions of the live service (60, 3000, 50000)."""
    return {"minute": per_minute, "hour": per_minute * 50, "day": per_minute * 833}
