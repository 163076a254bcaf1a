"""Templates: texts in which each `{name}` is replaced by a value. Knows texts; knows no field and no file.

There are two kinds. In a *strict* template every `{name}` must be known. A *shell* template is written for a shell or
a program inside it: only known names are replaced, and `${name}` and `{{name}}`, which mean something there, are
kept even if the name is known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

REFERENCE = re.compile(r"\{([^\W\d]\w*)\}")
LONGEST_TEXT = 1_000_000
# Most names in shell text belong to a program. No guess is made for short ones, nor once there are this many.
SHORTEST_TYPO = 3
MOST_TYPOS = 200


class UnknownNameError(ValueError):
    """A template refers to a name that is not known."""

    def __init__(self, name: str, where: str = "") -> None:
        super().__init__(f"unknown name {{{name}}}")
        self.name = name
        self.where = where


class CycleError(ValueError):
    """The values of some names refer to each other in a circle."""

    def __init__(self, names: list[str]) -> None:
        first = names.index(min(names))
        self.names = [*names[first:], *names[:first], names[first]]
        super().__init__("refers to itself: " + " -> ".join(self.names))


class TooLongError(ValueError):
    """A text becomes too long when its names are replaced."""

    def __init__(self) -> None:
        super().__init__(f"is longer than {LONGEST_TEXT:,} characters once its names are replaced")


def names_in(text: str) -> list[str]:
    """The names that a strict template refers to, in order, with repetitions."""
    return REFERENCE.findall(text)


def render(text: str, values: Mapping[str, str]) -> str:
    """The strict template with its names replaced once. Raises UnknownNameError, TooLongError."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise UnknownNameError(match[1])
        return values[match[1]]

    return _replace(text, value)


def render_shell(text: str, values: Mapping[str, str]) -> str:
    """The shell template with known names replaced once; the rest is kept byte for byte. Raises TooLongError."""

    def value(match: re.Match[str]) -> str:
        known = match[1] in values and not is_foreign(match)
        return values[match[1]] if known else match[0]

    return _replace(text, value)


def _replace(text: str, value: Callable[[re.Match[str]], str]) -> str:
    """The text with each reference replaced. Its length is limited, since values may contain one another."""
    parts: list[str] = []
    end = length = 0
    for match in REFERENCE.finditer(text):
        parts += (text[end : match.start()], value(match))
        end = match.end()
        length += len(parts[-1])
        if length > LONGEST_TEXT:
            raise TooLongError
    return "".join([*parts, text[end:]])


def is_foreign(match: re.Match[str]) -> bool:
    """Whether a reference in shell text is the shell's `${name}` or a doubled `{{name}}`."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    return before == "$" or (before == "{" and after == "}")


def resolve(start: str, templates: Mapping[str, str], values: dict[str, str]) -> None:
    """`values` holds the value of that name, and of every name that its template refers to.

    Raises UnknownNameError, which names the template that the unknown name was found in, CycleError and TooLongError.
    """
    # A stack rather than recursion: chains of names may be long.
    path = [start] if start not in values else []
    while path:
        name = path[-1]
        missing = next((n for n in names_in(templates[name]) if n not in values), None)
        if missing is None:
            values[name] = render(templates[name], values)
            path.pop()
        elif missing not in templates:
            raise UnknownNameError(missing, where=name)
        elif missing in path:
            raise CycleError(path[path.index(missing) :])
        else:
            path.append(missing)


def likely_typos(text: str, known: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Offset, name and guess for each unknown `{name}` in shell text that resembles a known one, once per name."""
    seen = set(known)
    names = sorted(seen)
    for match in REFERENCE.finditer(text):
        if match[1] in seen or is_foreign(match) or len(match[1]) < SHORTEST_TYPO:
            continue
        seen.add(match[1])
        if near := difflib.get_close_matches(match[1], names, n=1, cutoff=0.75):
            yield match.start(), match[1], near[0]
        if len(seen) > len(names) + MOST_TYPOS:
            return


def left_to_shell(text: str, known: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Offset and text of the first `${name}` or `{{name}}` for each known name that is written so."""
    waiting = set(known)
    for match in REFERENCE.finditer(text):
        if match[1] in waiting and is_foreign(match):
            waiting.remove(match[1])
            start = match.start() - 1
            yield start, text[start : match.end() + (text[start] == "{")]
