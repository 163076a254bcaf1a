"""One call to the API and its answer, as values. Knows the shape of HTTP; sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, before it is sent."""

    method: str
    path: str
    what: str
    """What it is for, in words that fit behind "cannot"."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the effect of sending it once."""
        return self.method in ("GET", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, whoever sent it: the API or something on the way to it."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def document(self) -> dict[str, Any] | None:
        """The body as a JSON object, or None if it is none."""
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return None
        return parsed if isinstance(parsed, dict) else None

    @property
    def good(self) -> bool:
        """Whether the call was carried out and the answer can be read."""
        return self.status == 204 or (200 <= self.status < 300 and self.document is not None)

    @property
    def missing(self) -> bool:
        """Whether the API itself says that there is no such thing.

        Not so for a proxy's error page, nor for a path that the API does not know: neither says that a pod is
        gone.
        """
        return self.status == 404 and bool(self.detail) and "requested path" not in self.detail.lower()

    @property
    def detail(self) -> str:
        """The API's own sentence about an error; empty if it gave none."""
        problem = self.document or {}
        found = problem.get("detail") or problem.get("error") or problem.get("title") or ""
        return str(found)

    @property
    def mistakes(self) -> list[str]:
        """The API's list of what is wrong with a request."""
        listed = (self.document or {}).get("errors") or []
        return [str(mistake) for mistake in listed] if isinstance(listed, list) else [str(listed)]

    @property
    def retry_after_s(self) -> float | None:
        """Seconds to wait, if the answer names them."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None
