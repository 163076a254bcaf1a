"""What `--filter` says: KEY, an operator, VALUE. Pure; knows values as JSON gives them, and no file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from ..errors import UsageError
from ..spec.instants import parse_instant
from .events import Row

SYNTAX = re.compile(r"([^=!<>~]+)(!=|>=|<=|=|>|<|~)(.*)", re.DOTALL)
ORDERS: dict[str, Callable[[Any, Any], bool]] = {">": gt, "<": lt, ">=": ge, "<=": le}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a row's field with a value."""

    key: str
    operator: str
    value: str
    test: Callable[[Any], bool]
    """Whether a field with this value meets the condition."""

    def holds(self, row: Row) -> bool:
        """Whether the row meets it. A row without the field meets `!=` only."""
        return self.test(row[self.key]) if self.key in row else self.operator == "!="


def parse_condition(text: str) -> Condition:
    """The condition that KEY=VALUE, KEY>VALUE, KEY~REGEX and the like state. Raises UsageError."""
    match = SYNTAX.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--filter {text!r}: no operator found",
            hint="write KEY=VALUE; != > < >= <= and ~ (regex) work too",
        )
    key, operator, value = match.groups()
    return Condition(key, operator, value, test_for(operator, value))


def test_for(operator: str, value: str) -> Callable[[Any], bool]:
    """The test of one field that an operator and a value make. Raises UsageError for a bad regex."""
    if operator == "=":
        return lambda field: str(field) == value
    if operator == "!=":
        return lambda field: str(field) != value
    if operator == "~":
        search = compiled(value).search
        return lambda field: search(str(field)) is not None
    return order_test(ORDERS[operator], value)


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression. Raises UsageError."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--filter: {pattern!r} is no regular expression: {error}") from error


def order_test(order: Callable[[Any, Any], bool], value: str) -> Callable[[Any], bool]:
    """A test that compares fields with the value as numbers, else as instants, else as texts."""
    number, at = as_number(value), parse_instant(value)

    def test(field: Any) -> bool:
        if number is not None and (own := as_number(field)) is not None:
            return order(own, number)
        if at is not None and (own_at := parse_instant(field)) is not None:
            return order(own_at, at)
        return number is None and isinstance(field, str) and order(field, value)

    return test


def as_number(value: Any) -> float | None:
    """The number that a field or a text is; None if it is none. True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
