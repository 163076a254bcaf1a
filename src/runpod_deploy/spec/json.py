"""Conversion of specs to JSON and back, for `spec.json`. Knows dataclasses; knows no file and no validation library."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from . import Spec

T = TypeVar("T")


def spec_to_json(spec: Spec) -> str:
    """The spec as indented JSON. It holds only the names of secrets, as the spec itself does."""
    return json.dumps(to_plain(spec), indent=2, ensure_ascii=False) + "\n"


def spec_from_json(text: str) -> Spec:
    """The spec from that JSON. Keys that this version does not know are ignored. Raises ValueError."""
    return from_plain(Spec, json.loads(text))


def to_plain(value: Any) -> Any:
    """The value as objects, lists and scalars that JSON can represent."""
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
    """The object of a dataclass from the result of `to_plain`. Raises ValueError if it does not fit."""
    if not isinstance(plain, dict):
        raise ValueError(f"{cls.__name__} must be an object, got {type(plain).__name__}")
    hints: dict[str, Any] = _hints(cls)  # type: ignore[arg-type]  # a class has a hash
    known = {name: _restored(hints[name], value) for name, value in plain.items() if name in hints}
    try:
        return cls(**known)
    except TypeError as error:
        raise ValueError(f"{cls.__name__}: {error}") from None


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _restored(hint: Any, value: Any) -> Any:
    """The value, converted to the type of its annotation."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _restored(args[0], value)
    if origin in (Union, UnionType):
        return None if value is None else _restored(args[0], value)
    if origin is tuple:
        return tuple(_restored(args[0], item) for item in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if hint is Path:
        return Path(value)
    return from_plain(hint, value) if isinstance(hint, type) and is_dataclass(hint) else value
