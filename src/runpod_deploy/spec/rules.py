"""Rules for values: constraints that a dataclass states in its annotations and that hold however it is built.

Knows annotations; knows no field by name. pydantic reads the same annotations, so that a YAML file and an
object built in Python are held to one set of rules; this module needs nothing of pydantic.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, MinLen

# How pydantic reads the dataclasses that say so: as strictly as the rules are meant.
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}


class Mistake(NamedTuple):
    """One broken rule: the field, as a dotted path below the object, and what is wrong."""

    field: str
    message: str


class RuleError(ValueError):
    """Values that do not go together or break a rule; `mistakes` tells which."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(f"{m.field}: {m.message}" if m.field else m.message for m in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Matches:
    """A text that fits a regular expression as a whole; `words` completes the sentence "must be ..."."""

    regex: str
    words: str

    def check(self, value: str) -> str:
        """The value. Raises ValueError if it does not fit."""
        if re.fullmatch(self.regex, value) is None:
            raise ValueError(f"must be {self.words}, got {value!r}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> dict[str, Any]:
        """The rule in the form that pydantic asks for, which is a plain dict."""
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": self.check},
            "schema": handler(source),
            "metadata": {"pydantic_js_updates": {"pattern": f"^(?:{self.regex})$"}},
        }


class Checked:
    """A dataclass whose rules are checked when it is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        mistakes = [*broken_rules(self), *self.contradictions()]
        if mistakes:
            raise RuleError(mistakes)

    def contradictions(self) -> Iterator[Mistake]:
        """Rules between fields, or that no annotation can say."""
        yield from ()


def broken_rules(value: object) -> Iterator[Mistake]:
    """What the annotations of a dataclass forbid in this one."""
    cls: type = type(value)
    for name, hint in hints_of(cls).items():
        for message in complaints(hint, getattr(value, name)):
            yield Mistake(name, message)


@functools.cache
def hints_of(cls: type) -> dict[str, Any]:
    """The annotations of a dataclass' fields, with their rules."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: hint for name, hint in hints.items() if not name.startswith("__")}


def complaints(hint: Any, value: Any) -> Iterator[str]:
    """What one annotation forbids in one value."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from complaints(args[0], value)
        yield from (message for rule in args[1:] if (message := complaint(rule, value)))
    elif origin is Literal and value not in args:
        yield f"must be one of {', '.join(map(str, args))}, got {value!r}"
    elif origin in (Union, UnionType) and value is not None:
        yield from complaints(args[0], value)
    elif origin is tuple:
        yield from (message for item in value for message in complaints(args[0], item))
    elif origin is dict:
        yield from (message for key in value for message in complaints(args[0], key))


def complaint(rule: object, value: Any) -> str:
    """What one rule says against a value; empty if nothing."""
    match rule:
        case Gt() if not value > rule.gt:
            return f"must be greater than {rule.gt}, got {value}"
        case Ge() if not value >= rule.ge:
            return f"must be at least {rule.ge}, got {value}"
        case Le() if not value <= rule.le:
            return f"must be at most {rule.le}, got {value}"
        case MinLen() if len(value) < rule.min_length:
            return "must not be empty"
        case Matches():
            return refusal(rule, value)
    return ""


def refusal(rule: Matches, value: str) -> str:
    """The words of a pattern that a text does not fit; empty if it does."""
    try:
        rule.check(value)
    except ValueError as error:
        return str(error)
    return ""
