"""A project's pyproject.toml. It is not ours to check, so that mistakes in it are ignored. Knows TOML only."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ..machine.limits import PROJECT_FILE_BYTES
from ..machine.reading import read_limited

PART = r"(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+"
LONG_KEY = re.compile(rf"(?<![\w-])(?:{PART}){{32}}")
"""A key of so many parts: the time that Python takes for one grows with the square of their number."""


def read_pyproject(root: Path) -> dict[str, Any]:
    """The content of the pyproject.toml in a folder; empty if there is none, or it cannot be read."""
    try:
        text = read_limited(root / "pyproject.toml", PROJECT_FILE_BYTES).decode()
        return {} if LONG_KEY.search(text) else tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}


def table(content: Any, *keys: str) -> dict[str, Any]:
    """The table at these keys; empty for anything else."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}
