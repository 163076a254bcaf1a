"""YAML text as plain values, each with its line number. Knows YAML; knows no schema.

Size, nesting and the number of values are limited while a text is read, so that a hostile file cannot use up memory.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ..errors import ConfigError, ConfigMissing
from ..machine.reading import open_regular
from .finding import Finding, Loc, dotted

LARGEST_BYTES = 1_000_000
MOST_NESTED = 40
MOST_VALUES = 100_000
MOST_FILE_CHARACTERS = 4 * LARGEST_BYTES

# The C parser is ten times as fast, but some builds of PyYAML do not have it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")}
STRING_TAG = "tag:yaml.org,2002:str"
MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Position:
    """The file and line of a value, and the way it is written there."""

    source: str
    line: int
    text: str = ""
    """The scalar as written, without quotes."""
    block: bool = False
    """Whether it is a block text, which starts on the next line."""


@dataclass(slots=True)
class Document:
    """The values of one YAML text."""

    source: str
    """The path of the file, as the user wrote it."""
    value: Any = None
    positions: dict[Loc, Position] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    raw: bytes = b""

    def finding(self, loc: Loc, message: str, **more: Any) -> Finding:
        """A finding at a location, or at the nearest value that encloses it."""
        position = self.position(loc)
        return Finding(message=message, path=dotted(loc), source=position.source, line=position.line, **more)

    def position(self, loc: Loc) -> Position:
        """The position of a location, or of the nearest value that encloses it."""
        while loc and loc not in self.positions:
            loc = loc[:-1]
        return self.positions.get(loc, Position(self.source, 1))


def read_document(path: Path) -> Document:
    """The values of a YAML file. Raises ConfigError if it is not YAML."""
    raw = read_bytes(path)
    document = Document(source=str(path), raw=raw)
    try:
        text = raw.decode("utf-8-sig")
        _check_shape(text, document)
        node = yaml.compose(text, LOADER)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise _syntax_error(error, str(path), raw.decode("utf-8-sig", errors="replace")) from None
    if node is not None:
        document.value = _Builder(document).build(node, (), 0)
    return document


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises ConfigError if it cannot be read, or is too large."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            raw = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigMissing(f"{path}: no such file", hint=f"Paths start from {Path.cwd()}.") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder", hint="Name the YAML file in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{str(path)!r}: cannot be read: {reason}") from None
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(f"{path}: is larger than {LARGEST_BYTES:,} bytes", hint="Is this the right file?")
    return raw


def _check_shape(text: str, document: Document) -> None:
    """Returns if nesting and number of values are within the limits. Raises ConfigError."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_NESTED or count > 2 * MOST_VALUES:
            what = "is nested too deeply" if depth > MOST_NESTED else "has too many values"
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ConfigError(f"{document.source}:{line}: {what}")


def _syntax_error(error: yaml.YAMLError, source: str, text: str) -> ConfigError:
    """The parser's message with its line, and the usual cause."""
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    begun = (
        f" ({error.context} from line {context.line + 1})"
        if context and isinstance(error, yaml.MarkedYAMLError)
        else ""
    )
    return ConfigError(f"{source}:{line}: not valid YAML: {problem}{begun}", hint=_syntax_hint(problem, text, line))


def _syntax_hint(problem: str, text: str, line: int) -> str:
    """The usual cause of the parser's message; empty if there is none."""
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())]:
        return "Indent with spaces: YAML does not allow tabs there."
    if "mapping values are not allowed" in problem:
        return (
            "Check this line and the one above for wrong indentation, a missing colon, or a value that contains `: `."
        )
    return "Put quotes around text that starts with one of @ ` % & * ! | >." if "cannot start" in problem else ""


class _Builder(yaml.constructor.SafeConstructor):
    """Turns nodes into plain values, and records their positions and findings about them."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.count = 0
        self.size = 0

    def build(self, node: Any, loc: Loc, depth: int) -> Any:
        """The value of a node. Raises ConfigError when aliases expand to too many values."""
        self.count += 1
        self.size += len(node.value) if isinstance(node, yaml.ScalarNode) else 0
        if depth > MOST_NESTED or self.count > MOST_VALUES or self.size > MOST_FILE_CHARACTERS:
            raise ConfigError(f"{self.document.source}:{node.start_mark.line + 1}: aliases expand to too many values")
        self.document.positions.setdefault(loc, self.position(node))
        if isinstance(node, yaml.MappingNode):
            return self.build_mapping(node, loc, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*loc, i), depth + 1) for i, item in enumerate(node.value)]
        return self.build_scalar(node, loc)

    def build_mapping(self, node: Any, loc: Loc, depth: int) -> dict[str, Any]:
        """The value of a mapping; its own keys override those that `<<` merges, in whatever order they stand."""
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE_TAG:
                continue
            key = self.key(key_node, loc)
            if key in result:
                self.duplicate(key, key_node, loc)
            self.document.positions[(*loc, key)] = replace(self.position(value_node), line=key_node.start_mark.line + 1)
            result[key] = self.build(value_node, (*loc, key), depth + 1)
        for key_node, value_node in node.value:
            if key_node.tag == MERGE_TAG:
                self.merge(value_node, loc, depth, result)
        return result

    def merge(self, node: Any, loc: Loc, depth: int, result: dict[str, Any]) -> None:
        """Adds the keys of the mappings that `<<` names to the result, unless it has them."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self.add(source, (*loc, "<<"), "must name a mapping")
                continue
            own, self.document.positions = self.document.positions, {}
            merged = self.build_mapping(source, loc, depth + 1)
            merged_positions, self.document.positions = self.document.positions, own
            self.count += len(merged) + 1
            for position_loc, position in merged_positions.items():
                own.setdefault(position_loc, position)
            for key, value in merged.items():
                result.setdefault(key, value)

    def key(self, node: Any, loc: Loc) -> str:
        """A mapping's key, which must be text."""
        if not isinstance(node, yaml.ScalarNode):
            self.add(node, loc, "a key must be plain text")
            return "?"
        if node.tag != STRING_TAG:
            self.add(node, (*loc, node.value), f'the key {node.value} is not text; put it in quotes: "{node.value}"')
        return str(node.value)

    def build_scalar(self, node: Any, loc: Loc) -> Any:
        """A text, number, boolean or null; a placeholder if it is none of these."""
        if node.tag not in PLAIN_TAGS:
            self.add(node, loc, _odd_scalar(node))
            return node.value
        try:
            value = self.construct_object(node)
        except (ValueError, yaml.YAMLError, KeyError, OverflowError, TypeError):
            self.add(node, loc, f"{node.value[:40]!r} cannot be read as a value")
            return ""
        if isinstance(value, float) and not math.isfinite(value):
            self.add(node, loc, f"must be a finite number, got {node.value}")
            return 1.0
        if isinstance(value, str) and "\0" in value:
            self.add(node, loc, "contains a NUL character")
            return value.replace("\0", "")
        return value

    def duplicate(self, key: str, node: Any, loc: Loc) -> None:
        """A finding about a key that is in its mapping already."""
        first = self.document.positions[(*loc, key)].line
        self.add(node, (*loc, key), f"is given twice; the first is on line {first}")

    def add(self, node: Any, loc: Loc, message: str) -> None:
        """A finding at a node."""
        line = node.start_mark.line + 1
        self.document.findings.append(
            Finding(message=message, path=dotted(loc), source=self.document.source, line=line)
        )

    def position(self, node: Any) -> Position:
        """The position of a node."""
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        block = getattr(node, "style", None) in ("|", ">")
        return Position(self.document.source, node.start_mark.line + 1, text, block)


def _odd_scalar(node: Any) -> str:
    if node.tag.endswith(":timestamp"):
        return f'is read as a date; put it in quotes: "{node.value}"'
    return f"the tag {node.tag.removeprefix('tag:yaml.org,2002:')} is not supported"
