"""The layers of a config: the user's defaults, a base file, the file itself, and flags. Knows no rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..spec.places import expanded
from .document import Document, Position, read_document
from .finding import Loc
from .user_defaults import fitting, read_defaults


def read_layers(path: Path) -> Document:
    """The values of a file merged with those of its base and, below both, with the user's defaults.

    The position of each value names the file that it comes from. Raises ConfigError for a file that cannot be read.
    """
    document = read_own_layers(path)
    if (defaults := read_defaults()) is not None:
        below = fitting(defaults.value, document.value)
        taken: set[Loc] = set()
        document.value = _merge(below, document.value, (), taken)
        _take_positions(taken, defaults, document)
        document.raw = defaults.raw + document.raw
    return document


def read_own_layers(path: Path) -> Document:
    """The values of a file merged with those of its base; the position of each value names the file it comes from.

    Raises ConfigError for a file that cannot be read, and for a base that has a base itself.
    """
    document = read_document(path)
    if not isinstance(document.value, dict):
        raise ConfigError(f"{path}:1: must be a mapping of `key: value` lines, got {_shape_name(document.value)}")
    if "extends" not in document.value:
        return document
    base = read_document(_base_path(document, path))
    _refuse_bad_base(document, base)
    document.value.pop("extends")
    taken: set[Loc] = set()
    document.value = _merge(base.value, document.value, (), taken)
    _take_positions(taken, base, document)
    document.findings = [*base.findings, *document.findings]
    document.raw = base.raw + document.raw
    return document


def _shape_name(value: Any) -> str:
    if value is None:
        return "an empty file"
    return "a list" if isinstance(value, list) else "a single value"


def _base_path(document: Document, path: Path) -> Path:
    """The path of the base file, relative to the folder of the file that names it."""
    name = document.value["extends"]
    if not isinstance(name, str) or not name:
        raise ConfigError(str(document.finding(("extends",), "must be the path of one YAML file")))
    return path.parent / expanded(name)


def _refuse_bad_base(document: Document, base: Document) -> None:
    if not isinstance(base.value, dict):
        raise ConfigError(f"{base.source}:1: must be a mapping, got {_shape_name(base.value)}")
    if "extends" in base.value:
        finding = base.finding(("extends",), f"a base cannot have a base ({document.source} extends it)")
        raise ConfigError(str(finding))


def _merge(lower: Any, upper: Any, loc: Loc, taken: set[Loc]) -> Any:
    """The two layers merged: mappings key by key; anything else is taken from the upper one, lists as well."""
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper
    merged = dict(upper)
    for key, value in lower.items():
        if key in upper:
            merged[key] = _merge(value, upper[key], (*loc, key), taken)
        else:
            merged[key] = value
            taken.add((*loc, key))
    return merged


def _take_positions(taken: set[Loc], base: Document, document: Document) -> None:
    """Sets the positions of all values that were taken from the base."""
    for loc, position in base.positions.items():
        if any(loc[:length] in taken for length in range(1, len(loc) + 1)):
            document.positions[loc] = position


def apply_overrides(plain: dict[str, Any], overrides: Mapping[str, object], document: Document) -> None:
    """Sets the values that were given by flags, and the flags as their positions. None is a flag that was not given."""
    for path, value in overrides.items():
        if value is not None:
            loc = tuple(path.split("."))
            if _put(plain, loc, value):
                document.positions[loc] = Position(source=flag_of(path), line=0)


def _put(plain: dict[str, Any], loc: tuple[str, ...], value: object) -> bool:
    """Whether the value was set. It is not if the file has something else in place of the section."""
    holder = plain
    for part in loc[:-1]:
        holder = holder.setdefault(part, {})
        if not isinstance(holder, dict):
            return False
    holder[loc[-1]] = value
    return True


def flag_of(path: str) -> str:
    """The flag that sets a field: `budget.cost_cap_usd` is `--cost-cap-usd`."""
    return "--" + path.rpartition(".")[2].replace("_", "-")
