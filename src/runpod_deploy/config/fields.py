"""The dataclass or annotation at a location of the schema. Knows the structure of the spec only."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from ..spec import RunpodJobSpec
from ..spec.rules import hints_of
from .finding import Loc


def names_at(loc: Loc) -> list[str]:
    """The names of the fields of the section at a location; none if it is not a section."""
    hint = hint_at(loc)
    return [field.name for field in fields(hint)] if is_dataclass(hint) else []


def hint_at(loc: Loc) -> Any:
    """The annotation at a location, without its rules; None if the schema has no such location."""
    hint: Any = RunpodJobSpec
    for part in loc:
        hint = _step(hint, part)
    return bare(hint)


def bare(hint: Any) -> Any:
    """An annotation without its rules and without `| None`."""
    while get_origin(hint) in (Annotated, Union, UnionType):
        hint = get_args(hint)[0]
    return hint


def _step(hint: Any, part: str | int) -> Any:
    """The annotation of one part of a section, list or mapping."""
    hint = bare(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return hints_of(hint).get(str(part))
    if get_origin(hint) is tuple and isinstance(part, int):
        return get_args(hint)[0]
    return get_args(hint)[1] if get_origin(hint) is dict else None
