"""Findings about a config: mistakes, warnings and notes, each with its file and line. Knows no rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ConfigError

Loc = tuple[str | int, ...]
MOST_SHOWN = 100
Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake, warning or note about a config."""

    message: str
    path: str = ""
    """Dotted path of the field, such as `pod.gpu_order[1]`; empty for the file as a whole."""
    source: str = ""
    """The file as the user wrote it, or a flag."""
    line: int = 0
    """Counted from 1; 0 if there is no line, as for a flag."""
    level: Level = "error"
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        return f"{text}; {self.hint}" if self.hint else text


def dotted(loc: Sequence[str | int]) -> str:
    """A location as a dotted path: `staging[2].label`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def raise_errors(findings: Iterable[Finding], subject: str) -> None:
    """Returns if no finding is an error. Raises ConfigError with a line for each error."""
    errors = [finding for finding in findings if finding.level == "error"]
    if len(errors) == 1:
        raise ConfigError(str(errors[0]))
    if errors:
        lines = "\n".join(str(finding) for finding in errors[:MOST_SHOWN])
        raise ConfigError(f"{subject}: {len(errors)} mistakes\n{lines}")
