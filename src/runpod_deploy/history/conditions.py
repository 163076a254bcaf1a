"""Conditions of `--filter`: KEY, an operator, VALUE. Pure; knows JSON values; knows no file."""

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
    """Whether a field with that value meets the condition."""

    def holds(self, row: Row) -> bool:
        """Whether the row meets the condition. A row without the field only meets `!=`."""
        return self.test(row[self.key]) if self.key in row else self.operator == "!="


def parse_condition(text: str) -> Condition:
    """The condition of a text such as KEY=VALUE, KEY>VALUE or KEY~REGEX. Raises UsageError."""
    match = SYNTAX.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--filter {text!r}: no operator found",
            hint="write KEY=VALUE; != > < >= <= and ~ (regex) work too",
        )
    key, operator, value = match.groups()
    return Condition(key, operator, value, test_for(operator, value))


def test_for(operator: str, value: str) -> Callable[[Any], bool]:
    """The test of a field for an operator and a value. Raises UsageError for an invalid regular expression."""
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
        raise UsageError(f"--filter: {pattern!r} is not a valid regular expression: {error}") from error


def order_test(order: Callable[[Any, Any], bool], value: str) -> Callable[[Any], bool]:
    """A test that compares fields with the value as numbers; if that is not possible, as times; else as texts."""
    number, at = as_number(value), parse_instant(value)

    def test(field: Any) -> bool:
        if number is not None and (own := as_number(field)) is not None:
            return order(own, number)
        if at is not None and (own_at := parse_instant(field)) is not None:
            return order(own_at, at)
        return number is None and isinstance(field, str) and order(field, value)

    return test


def as_number(value: Any) -> float | None:
    """The value of a number, or of a text that is a number; None for anything else, including True and False."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
