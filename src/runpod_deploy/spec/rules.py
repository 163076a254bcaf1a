"""Rules for values: constraints in the annotations of a dataclass, which are checked whenever an object is made.

Knows annotations; knows no field by name. pydantic reads the same annotations, so that the same rules hold for a YAML
file and for an object built in Python. This module does not need pydantic.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, MinLen

# Tells pydantic to accept no unknown fields and to convert no types.
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}


class Mistake(NamedTuple):
    """One broken rule: the field, as a dotted path below the object, and what is wrong."""

    field: str
    message: str


class RuleError(ValueError):
    """Values that break a rule or contradict each other; `mistakes` lists them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(f"{m.field}: {m.message}" if m.field else m.message for m in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Matches:
    """A text that matches a regular expression as a whole; `expected` completes the sentence "must be ..."."""

    regex: str
    expected: str

    def check(self, value: str) -> str:
        """The value. Raises ValueError if it does not match."""
        if re.fullmatch(self.regex, value) is None:
            raise ValueError(f"must be {self.expected}, got {value!r}")
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
    """A dataclass whose rules are checked when an object of it is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        mistakes = [*broken_rules(self), *self.contradictions()]
        if mistakes:
            raise RuleError(mistakes)

    def contradictions(self) -> Iterator[Mistake]:
        """The broken rules between fields, and those that no annotation can express."""
        yield from ()


def broken_rules(value: object) -> Iterator[Mistake]:
    """The rules in the annotations of a dataclass that this object breaks."""
    cls: type = type(value)
    for name, hint in hints_of(cls).items():
        for message in violations(hint, getattr(value, name)):
            yield Mistake(name, message)


@functools.cache
def hints_of(cls: type) -> dict[str, Any]:
    """The annotations of a dataclass's fields, with their rules."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: hint for name, hint in hints.items() if not name.startswith("__")}


def violations(hint: Any, value: Any) -> Iterator[str]:
    """A message for each rule of one annotation that a value breaks."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from violations(args[0], value)
        yield from (message for rule in args[1:] if (message := violation(rule, value)))
    elif origin is Literal and value not in args:
        yield f"must be one of {', '.join(map(str, args))}, got {value!r}"
    elif origin in (Union, UnionType) and value is not None:
        yield from violations(args[0], value)
    elif origin is tuple:
        yield from (message for item in value for message in violations(args[0], item))
    elif origin is dict:
        yield from (message for key in value for message in violations(args[0], key))


def violation(rule: object, value: Any) -> str:
    """The message if a value breaks one rule; empty if it does not."""
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
            return pattern_violation(rule, value)
    return ""


def pattern_violation(rule: Matches, value: str) -> str:
    """The message if a text does not match a pattern; empty if it does."""
    try:
        rule.check(value)
    except ValueError as error:
        return str(error)
    return ""
