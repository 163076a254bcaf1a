"""One call to the API and its answer, as values. Knows the shape of HTTP; sends nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from ...machine import limits
from ...spec import strict_json
from ...spec.visible import shortened


class Rank(IntEnum):
    """The order of calls that wait for the account's rate limit. The lowest comes first."""

    ENDS = 0
    """It ends a pod."""
    LOOKS = 1
    """It looks at pods: a run waits for it that has one already."""
    OTHER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, before it is sent."""

    method: str
    path: str
    what: str
    """The purpose of the call, as a phrase that fits after "cannot"."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    bare: bool = False
    """Whether a success may come without a body: nobody needs to know more than that it was accepted."""
    rank: Rank = Rank.OTHER

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the effect of sending it once."""
        return self.method in ("GET", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a call, from the API or from a proxy on the way to it."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    _parsed: list[dict[str, Any] | None] = field(default_factory=list, init=False, repr=False, compare=False)
    """The document, once it was asked for."""

    @property
    def document(self) -> dict[str, Any] | None:
        """The body as a JSON object, or None if it is not one, or larger than any answer."""
        if not self._parsed:
            self._parsed.append(json_object(self.body))
        return self._parsed[0]

    @property
    def ok(self) -> bool:
        """Whether the call was carried out and the answer can be read."""
        return self.status == 204 or (200 <= self.status < 300 and self.document is not None)

    @property
    def accepted(self) -> bool:
        """Whether the call was carried out, although the answer has no body."""
        return 200 <= self.status < 300 and not self.body.strip()

    @property
    def from_edge(self) -> bool:
        """Whether a gateway before the API answered: with its own JSON problem, or refusing without any of the API's.

        Cloudflare writes problem documents like the API's (2026-11), with `cloudflare_error` and `error_code`.
        """
        document = self.document
        if document is None:
            return self.status in (401, 403)
        return "cloudflare_error" in document or "error_code" in document

    @property
    def not_found(self) -> bool:
        """Whether the answer says that there is no such thing, in any form: 410, or 404 with whatever body.

        False for the answer of a gateway and for a path that the API does not know: neither means that a pod is gone.
        """
        if self.from_edge:
            return False
        page = self.body.lstrip().startswith(b"<")
        return self.status == 410 or (self.status == 404 and not page and "requested path" not in self.detail.lower())

    @property
    def detail(self) -> str:
        """The API's own description of an error; empty if there is none."""
        problem = self.document or {}
        found = next(filter(None, map(problem.get, ("detail", "error", "message", "title"))), "")
        return shortened(str(found), limits.EXPLANATION_CHARS)

    @property
    def problems(self) -> list[str]:
        """The API's list of what is wrong with a request."""
        listed = (self.document or {}).get("errors") or []
        several = listed[: limits.EXPLANATIONS] if isinstance(listed, list) else [listed]
        return [shortened(str(problem), limits.EXPLANATION_CHARS) for problem in several]

    @property
    def retry_after_s(self) -> float | None:
        """The seconds to wait that the answer asks for; None if it names none."""
        try:
            wait_s = max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None
        return wait_s if math.isfinite(wait_s) else None


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object, with null in place of numbers that no answer can mean; None if it is not one, or too large."""
    if len(body) > limits.ANSWER_BYTES or sum(map(body.count, (b"[", b"{", b","))) > limits.ANSWER_VALUES:
        return None
    try:
        parsed = strict_json.loads(body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
