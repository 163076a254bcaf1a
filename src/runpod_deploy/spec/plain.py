"""Dataclasses as plain JSON values and back, by their type hints. Knows types; knows no file and no meaning.

`spec.json` and the rows of the journal both go through here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints

from .instants import parse_instant
from .rules import violations

T = TypeVar("T")
Reader = Callable[[Any], Any]
"""Turns a JSON value into the value of a field. Raises Misfit."""
LARGEST = 1e15
"""No number of a spec or of a journal is larger; arithmetic with larger ones could overflow."""


class Misfit(ValueError):
    """A JSON value does not fit the type of its field."""


def to_plain(value: Any) -> Any:
    """The value in the terms of JSON."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value


def from_plain(cls: type[T], plain: Any) -> T:
    """The object of a dataclass that `to_plain` made plain. Keys that the class does not have are ignored.

    Raises Misfit.
    """
    if not isinstance(plain, dict):
        raise Misfit(f"expected an object, got {type(plain).__name__}")
    kind: Any = cls
    values = {name: named(name, read, plain[name]) for name, read in field_readers(kind).items() if name in plain}
    try:
        return cls(**values)
    except TypeError as error:  # a field without a default is missing
        raise Misfit(str(error)) from None


def named(name: str, read: Reader, value: Any) -> Any:
    """The value of a field. Raises Misfit with the field's name."""
    try:
        return read(value)
    except Misfit as error:
        raise Misfit(f"{name}: {error}") from None


@functools.cache
def field_readers(cls: Any) -> dict[str, Reader]:
    """The reader of each field of a dataclass."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: reader(hints[field.name]) for field in fields(cls)}


def reader(hint: Any) -> Reader:
    """The reader for values of this type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return functools.partial(read_by_rules, hint, reader(args[0]))
    if origin in (Union, UnionType):
        return union_reader(args)
    if origin is tuple:
        return tuple_reader(args)
    if origin is dict:
        return functools.partial(read_dict, reader(args[1]))
    if origin is Literal:
        return functools.partial(read_choice, args)
    if isinstance(hint, type) and is_dataclass(hint):
        return functools.partial(from_plain, hint)
    return READERS[hint]


def read_by_rules(hint: Any, read: Reader, value: Any) -> Any:
    """The value, which keeps the rules of the annotation."""
    fits = read(value)
    if message := next(violations(hint, fits), ""):
        raise Misfit(message)
    return fits


def union_reader(args: tuple[Any, ...]) -> Reader:
    """The reader for `X | None`."""
    (hint,) = (arg for arg in args if arg is not NoneType)
    read = reader(hint)
    return lambda value: None if value is None else read(value)


def tuple_reader(args: tuple[Any, ...]) -> Reader:
    """The reader for `tuple[X, ...]`."""
    item, more = args
    assert more is Ellipsis, "only tuples of one type are written to disk"
    read = reader(item)
    return lambda value: tuple(map(read, read_list(value)))


def read_list(value: Any) -> list[Any]:
    """The value, which is a list."""
    if not isinstance(value, list):
        raise Misfit(f"expected a list, got {shown(value)}")
    return value


def read_dict(read: Reader, value: Any) -> dict[str, Any]:
    """The value, which is an object, with its values read."""
    if not isinstance(value, dict):
        raise Misfit(f"expected an object, got {shown(value)}")
    return {key: read(item) for key, item in value.items()}


def read_choice(choices: tuple[Any, ...], value: Any) -> Any:
    """The value, which is one of the choices."""
    for choice in choices:
        if value == choice and type(value) is type(choice):
            return choice
    raise Misfit(f"expected one of {', '.join(map(repr, choices))}, got {shown(value)}")


def read_text(value: Any) -> str:
    """The value, which is a text."""
    if not isinstance(value, str):
        raise Misfit(f"expected a text, got {shown(value)}")
    return value


def read_bool(value: Any) -> bool:
    """The value, which is true or false."""
    if not isinstance(value, bool):
        raise Misfit(f"expected true or false, got {shown(value)}")
    return value


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number that arithmetic takes; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def read_float(value: Any) -> float:
    """The value, which is a finite number; a whole number stays an int."""
    if not is_number(value):
        raise Misfit(f"expected a number, got {shown(value)}")
    return value


def read_int(value: Any) -> int:
    """The value, which is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or not abs(value) < LARGEST:
        raise Misfit(f"expected a whole number, got {shown(value)}")
    return value


def read_instant(value: Any) -> datetime:
    """The instant of an ISO text; UTC if the text names no offset."""
    if (at := parse_instant(value)) is None:
        raise Misfit(f"expected a time, got {shown(value)}")
    return at


def read_path(value: Any) -> Path:
    """The path of a text."""
    return Path(read_text(value))


def shown(value: Any) -> str:
    """A short text for a value that did not fit."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= LARGEST:
        return "a number beyond reason"
    return repr(value)[:60]


READERS: dict[Any, Reader] = {
    Any: lambda value: value,
    str: read_text,
    bool: read_bool,
    int: read_int,
    float: read_float,
    datetime: read_instant,
    Path: read_path,
}
