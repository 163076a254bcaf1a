"""rsync's exclude patterns, as far as a transfer without rsync needs them. Knows the patterns; knows no files.

The rules are those of rsync 3 (rsync(1), PATTERN MATCHING RULES, read 2026-11): the first match decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern, ready to be asked."""

    leaves_out: bool
    folders_only: bool
    whole_path: bool
    """Whether the pattern is held against the path, and not against its last part alone."""
    shape: re.Pattern[str]

    def fits(self, path: str, is_dir: bool) -> bool:
        """Whether this rule speaks of that path."""
        if self.folders_only and not is_dir:
            return False
        if not self.whole_path:
            return bool(self.shape.fullmatch(path.rpartition("/")[2]))
        return bool(self.shape.fullmatch(path) or (is_dir and self.shape.fullmatch(path + "/")))


class Excludes:
    """What a transfer leaves out: patterns, and exact paths. Paths are relative to the transfer's folder."""

    def __init__(self, patterns: Iterable[str], ignored: Iterable[str] = (), *, top: str = "") -> None:
        self._rules: list[Rule] = []
        for pattern in patterns:
            if pattern == "!":
                self._rules.clear()
            elif pattern:
                self._rules.append(rule(pattern))
        self._ignored = frozenset(path.rstrip("/") for path in ignored)
        self._top = f"{top}/" if top else ""

    def __bool__(self) -> bool:
        return bool(self._rules or self._ignored)

    def leave_out(self, path: str, is_dir: bool) -> bool:
        """Whether this path, whose parents are all kept, is left out."""
        if path in self._ignored:
            return True
        named = self._top + path
        return next((rule.leaves_out for rule in self._rules if rule.fits(named, is_dir)), False)


def rule(pattern: str) -> Rule:
    """The rule that a pattern writes down. `+ ` in front keeps what matches, `- ` leaves it out."""
    leaves_out = not pattern.startswith("+ ")
    text = pattern[2:] if pattern.startswith(("+ ", "- ")) else pattern
    folders_only = len(text) > 1 and text.endswith("/") and not text.endswith("***/")
    text = text.rstrip("/") if folders_only else text
    anchored = text.startswith("/")
    whole_path = "/" in text or "**" in text
    while not anchored and (anywhere := re.match(r"\*{2,}/", text)):
        text = text[anywhere.end() :]  # rsync matches it at the top as well
    shape = _shape(text.removeprefix("/"))
    if whole_path and not anchored:
        shape = f"(?:.*/)?{shape}"
    return Rule(leaves_out, folders_only, whole_path, _compiled(shape))


def _compiled(shape: str) -> re.Pattern[str]:
    """The expression; one with a range that is none, such as `[z-a]`, fits nothing."""
    try:
        return re.compile(shape, re.DOTALL)
    except re.error:
        return re.compile("(?!)")


def _shape(text: str) -> str:
    """The regular expression of a pattern; one without wildcards is taken as it stands, backslashes too."""
    if not re.search(r"[*?\[]", text):
        return re.escape(text)
    parts, position = [], 0
    while position < len(text):
        part, position = _next(text, position)
        parts.append(part)
    return "".join(parts)


def _next(text: str, at: int) -> tuple[str, int]:
    if text.startswith("**", at):
        return ".*", at + len(text[at:]) - len(text[at:].lstrip("*"))
    if text[at] == "*":
        return "[^/]*", at + 1
    if text[at] == "?":
        return "[^/]", at + 1
    if text[at] == "\\" and at + 1 < len(text):
        return re.escape(text[at + 1]), at + 2
    if text[at] == "[" and (found := re.compile(r"\[([!^]?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]").match(text, at)):
        return _one_of(found[1], found[2]), found.end()
    return re.escape(text[at]), at + 1


CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9a-fA-F",
}


def _one_of(negated: str, inside: str) -> str:
    """A character class; it never matches a slash."""
    named = re.sub(r"\[:(\w+):\]", lambda found: f"\0{found[1]}\0", inside)
    plain = re.sub(r"\\(.)", r"\1", named).replace("\\", "\\\\").replace("[", r"\[").replace("]", r"\]")
    plain = plain.replace("^", r"\^").replace("&&", r"&\&").replace("~~", r"~\~").replace("||", r"|\|")
    body = re.sub(r"\0(\w+)\0", lambda found: CLASSES.get(found[1], ""), plain)
    return f"(?!/)[{'^' if negated else ''}{body}]"
