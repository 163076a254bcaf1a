"""A project's pyproject.toml. It is not ours to check, so that mistakes in it are ignored. Knows TOML only."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..machine.limits import PROJECT_FILE_BYTES
from ..machine.reading import read_limited


def read_pyproject(root: Path) -> dict[str, Any]:
    """The content of the pyproject.toml in a folder; empty if there is none, or it cannot be read."""
    try:
        return tomllib.loads(read_limited(root / "pyproject.toml", PROJECT_FILE_BYTES).decode())
    except (OSError, ValueError):
        return {}


def table(content: Any, *keys: str) -> dict[str, Any]:
    """The table at these keys; empty for anything else."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}
