"""rsync's exclude patterns, as far as configs use them. Pure: a path relative to the source in, yes or no out.

After rsync(1), "PATTERN MATCHING RULES": a leading slash ties a pattern to the source, a trailing one to folders;
`*` and `?` stop at slashes, `**` does not; a pattern that is not tied matches any tail of the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

TOKEN = re.compile(r"\*\*|\*|\?|\[[!^]?\]?[^]]*\]|\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, translated."""

    regex: re.Pattern[str]
    folders_only: bool


class Excludes:
    """A list of patterns."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [translate(pattern) for pattern in patterns]

    def leave_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether a path is left out. What lies below a folder that is left out is not asked about."""
        return any(pattern.regex.fullmatch(path) for pattern in self._patterns if is_folder or not pattern.folders_only)


def translate(pattern: str) -> Pattern:
    """The pattern as a regular expression over relative paths."""
    folders_only = pattern.endswith("/")
    body = pattern.rstrip("/")
    tied = body.startswith("/")
    body = body.lstrip("/")
    tail = ""
    if body.endswith("/***"):
        body, tail = body.removesuffix("/***"), "(?:/.*)?"
    while body.startswith("**/"):
        body, tied = body.removeprefix("**/"), False
    start = "" if tied else "(?:.*/)?"
    return Pattern(re.compile(start + _regex(body) + tail, re.DOTALL), folders_only)


def _regex(body: str) -> str:
    return "".join(_token(token) for token in TOKEN.findall(body))


def _token(token: str) -> str:
    if token == "**":
        return ".*"
    if token == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if token.startswith("[") and len(token) > 2:
        inner = token[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
    return re.escape(token[-1])
