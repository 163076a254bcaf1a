"""`{name}` in texts: found, resolved in any order, replaced once. Knows texts; knows no field and no file.

Two ways to replace. A *strict* text is ours alone, so every `{name}` in it must be known. A *shell* text
belongs to a shell or a program inside it: only known names are replaced, and `${name}` and `{{name}}`, which
mean something there, are left as they are even then.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

REFERENCE = re.compile(r"\{([^\W\d]\w*)\}")
LONGEST = 1_000_000
# In shell text most names are a program's own: shorter ones and too many of them are not worth a guess.
SHORTEST_TYPO = 3
MOST_TYPOS = 200


class UnknownNameError(ValueError):
    """A text refers to a name that is not known."""

    def __init__(self, name: str, where: str = "") -> None:
        super().__init__(f"unknown name {{{name}}}")
        self.name = name
        self.where = where


class CycleError(ValueError):
    """Names are defined by each other in a circle."""

    def __init__(self, names: list[str]) -> None:
        first = names.index(min(names))
        self.names = [*names[first:], *names[:first], names[first]]
        super().__init__("defined by itself: " + " -> ".join(self.names))


class TooLongError(ValueError):
    """A text grows beyond reason when its names are replaced."""

    def __init__(self) -> None:
        super().__init__(f"grows beyond {LONGEST:,} characters when its names are replaced")


def names_in(text: str) -> list[str]:
    """The names that a strict text refers to, in order, with repetitions."""
    return REFERENCE.findall(text)


def render(text: str, values: Mapping[str, str]) -> str:
    """The strict text with its names replaced, once. Raises UnknownNameError, TooLongError."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise UnknownNameError(match[1])
        return values[match[1]]

    return _replace(text, value)


def render_shell(text: str, values: Mapping[str, str]) -> str:
    """The shell text with known names replaced, once; all else is left byte for byte. Raises TooLongError."""

    def value(match: re.Match[str]) -> str:
        known = match[1] in values and not is_foreign(match)
        return values[match[1]] if known else match[0]

    return _replace(text, value)


def _replace(text: str, value: Callable[[re.Match[str]], str]) -> str:
    """The text with each reference replaced; its length is watched, since values may hold one another."""
    parts: list[str] = []
    end = length = 0
    for match in REFERENCE.finditer(text):
        parts += (text[end : match.start()], value(match))
        end = match.end()
        length += len(parts[-1])
        if length > LONGEST:
            raise TooLongError
    return "".join([*parts, text[end:]])


def is_foreign(match: re.Match[str]) -> bool:
    """Whether a reference in shell text is the shell's `${name}` or a doubled `{{name}}`."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    return before == "$" or (before == "{" and after == "}")


def resolve(templates: Mapping[str, str], constants: Mapping[str, str]) -> dict[str, str]:
    """Every name's value, in whatever order the templates refer to each other; constants are never rendered.

    Raises UnknownNameError, which tells the template it was found in, CycleError and TooLongError.
    """
    values = dict(constants)
    for name in templates:
        settle(name, templates, values)
    return values


def settle(start: str, templates: Mapping[str, str], values: dict[str, str]) -> None:
    """The value of one name and of all that it is made of are in `values`; raises what `resolve` raises.

    A stack and no recursion, since chains may be long.
    """
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


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, be it only its first word; empty if none is near."""
    candidates = {other.lower(): other for other in known}
    begun = [other for other in candidates if other.startswith(f"{name.lower()}_")]
    near = begun or difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
    return candidates[min(near, key=len)] if near else ""


def likely_typos(text: str, known: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Offset, name and meant name of each unknown `{name}` in shell text that is nearly a known one, once a name."""
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
    """Offset and text of the first place where a known name is left to the shell, for each such name."""
    waiting = set(known)
    for match in REFERENCE.finditer(text):
        if match[1] in waiting and is_foreign(match):
            waiting.remove(match[1])
            start = match.start() - 1
            yield start, text[start : match.end() + (text[start] == "{")]
