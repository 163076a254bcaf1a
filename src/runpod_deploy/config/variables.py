"""Variables from the command line: `--var` and `--vars-file`. Knows both formats; knows no config."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, UsageError
from .document import read_bytes
from .finding import Finding, raise_errors


def parse_variables(pairs: Sequence[str], vars_file: Path | None) -> dict[str, str]:
    """The variables of a file, overridden by `KEY=VALUE` pairs. Raises UsageError, ConfigError."""
    variables = Variables(read_vars_file(vars_file) if vars_file else {})
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(
                f"--var {pair!r} is not KEY=VALUE", hint="KEY has letters, digits and _; VALUE may be empty."
            )
        if "\0" in value:
            raise UsageError(f"--var {name}: the value contains a NUL character")
        variables[name] = value
        variables.typed.add(name)
    return variables


class Variables(dict[str, str]):
    """The values of variables by their names."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.typed: set[str] = set()
        """The names that were typed on the command line."""


def read_vars_file(path: Path) -> dict[str, str]:
    """The variables in a JSON file that holds an object of texts. Raises ConfigError with the line of every mistake."""
    raw = read_bytes(path)
    try:
        text = raw.decode("utf-8-sig")
        pairs = json.loads(text, object_pairs_hook=Pairs)
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    except (RecursionError, ValueError):
        raise ConfigError(f"{path}: not valid JSON: nested too deeply, or a number is too long") from None
    if not isinstance(pairs, Pairs):
        raise ConfigError(f'{path}:1: must be an object such as {{"seed": "7"}}')
    raise_errors(_mistakes(pairs, path, text), str(path))
    return dict(pairs)


class Pairs(list[tuple[str, Any]]):
    """The keys and values of an object in their order, including repeated keys."""


def _mistakes(pairs: Pairs, path: Path, text: str) -> list[Finding]:
    """The mistakes in the pairs, in their order."""
    findings: list[Finding] = []
    seen: set[str] = set()
    position = 0
    for name, value in pairs:
        position = max(text.find(json.dumps(name, ensure_ascii=False), position), position)
        message = _pair_problem(name, value, name in seen)
        if message:
            line = text.count("\n", 0, position) + 1
            findings.append(Finding(message=message, path=name, source=str(path), line=line))
        seen.add(name)
        position += 1
    return findings


def _pair_problem(name: str, value: Any, repeated: bool) -> str:
    if not name.isidentifier():
        return "must be a name of letters, digits and _"
    if repeated:
        return "is given twice"
    if isinstance(value, (bool, int, float)):
        return f"must be text; put it in quotes: {json.dumps(json.dumps(value))}"
    if not isinstance(value, str):
        return f"must be text, got {'an object' if isinstance(value, Pairs) else 'a list' if value else 'nothing'}"
    return "contains a NUL character" if "\0" in value else ""
