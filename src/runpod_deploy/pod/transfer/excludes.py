"""rsync's exclude patterns, as far as a transfer without rsync needs them. Knows the patterns; knows no files.

The rules are those of rsync 3 (rsync(1), PATTERN MATCHING RULES, read 2026-11): the first match decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern, compiled."""

    leaves_out: bool
    folders_only: bool
    whole_path: bool
    """Whether the pattern is matched with the whole path, not with its last part alone."""
    shape: re.Pattern[str]

    def matches(self, path: str, is_dir: bool) -> bool:
        """Whether the rule applies to that path."""
        if self.folders_only and not is_dir:
            return False
        if not self.whole_path:
            return bool(self.shape.fullmatch(path.rpartition("/")[2]))
        return bool(self.shape.fullmatch(path) or (is_dir and self.shape.fullmatch(path + "/")))


class Excludes:
    """Patterns and exact paths that a transfer leaves out. Paths are relative to the transfer's folder."""

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
        """Whether this path is left out, given that all of its parents are kept."""
        if path in self._ignored:
            return True
        named = self._top + path
        return next((rule.leaves_out for rule in self._rules if rule.matches(named, is_dir)), False)


def rule(pattern: str) -> Rule:
    """The rule for one pattern. A pattern that begins with `+ ` keeps what matches, one with `- ` leaves it out."""
    leaves_out = not pattern.startswith("+ ")
    text = pattern[2:] if pattern.startswith(("+ ", "- ")) else pattern
    folders_only = len(text) > 1 and text.endswith("/") and not text.endswith("***/")
    text = text.rstrip("/") if folders_only else text
    if text.rpartition("/")[2] == ".git":
        folders_only = False  # in a worktree or a submodule it is a file, which names a folder of this machine
    anchored = text.startswith("/")
    whole_path = "/" in text or "**" in text
    while not anchored and (anywhere := re.match(r"\*{2,}/", text)):
        text = text[anywhere.end() :]  # rsync matches it at the top as well
    shape = _shape(text.removeprefix("/"), "(?:.*?/)??" if whole_path and not anchored else "")
    return Rule(leaves_out, folders_only, whole_path, _compiled(shape))


def _compiled(shape: str) -> re.Pattern[str]:
    """The compiled expression. One with an invalid range, such as `[z-a]`, matches nothing."""
    try:
        return re.compile(shape, re.DOTALL)
    except re.error:
        return re.compile("(?!)")


ANY, WITHIN = ".*?", "[^/]*?"
"""What `**` and `*` match."""


def _shape(text: str, before: str) -> str:
    """The regular expression of a pattern. A pattern without wildcards is literal text, backslashes included.

    The part up to the next `**` is an atomic group: where it first fits, the rest has the most room, so another place
    need not be tried. Without that, a pattern of many stars takes minutes for one long name.
    """
    if not re.search(r"[*?\[]", text):
        return before + re.escape(text)
    parts, position = [], 0
    while position < len(text):
        part, position = _next(text, position)
        parts.append(part)
    *first, last = _split(parts, ANY)
    blocks = [f"(?>{ANY}{_block(block, ends=False)})" for block in first[1:]]
    if not first:
        return before + _block(last)
    return f"(?>{before}{_block(first[0], ends=False)})" + "".join(blocks) + ANY + _block(last)


def _block(parts: list[str], *, ends: bool = True) -> str:
    """The expression of parts without `**`. The last star of a pattern stays open, since its text ends the path."""
    pieces = ["".join(piece) for piece in _split(parts, WITHIN)]
    atomic = len(pieces) - ends
    stars = [f"(?>{WITHIN}{piece})" if at < atomic else WITHIN + piece for at, piece in enumerate(pieces) if at]
    return pieces[0] + "".join(stars)


def _split(parts: list[str], at: str) -> list[list[str]]:
    pieces: list[list[str]] = [[]]
    for part in parts:
        if part == at:
            pieces.append([])
        else:
            pieces[-1].append(part)
    return pieces


def _next(text: str, at: int) -> tuple[str, int]:
    if text.startswith("**", at):
        return ANY, at + len(text[at:]) - len(text[at:].lstrip("*"))
    if text[at] == "*":
        return WITHIN, at + 1
    if text[at] == "?":
        return "[^/]", at + 1
    if text[at] == "\\" and at + 1 < len(text):
        return re.escape(text[at + 1]), at + 2
    if text[at] == "[" and (found := re.compile(r"\[([!^]?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]").match(text, at)):
        return _character_class(found[1], found[2]), found.end()
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


def _character_class(negated: str, inside: str) -> str:
    """The regular expression of a character class, which never matches a slash."""
    named = re.sub(r"\[:(\w+):\]", lambda found: f"\0{found[1]}\0", inside)
    plain = re.sub(r"\\(.)", r"\1", named).replace("\\", "\\\\").replace("[", r"\[").replace("]", r"\]")
    plain = plain.replace("^", r"\^").replace("&&", r"&\&").replace("~~", r"~\~").replace("||", r"|\|")
    body = re.sub(r"\0(\w+)\0", lambda found: CLASSES.get(found[1], ""), plain)
    return f"(?!/)[{'^' if negated else ''}{body}]"
