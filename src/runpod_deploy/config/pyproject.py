"""A project's pyproject.toml. It is not ours to check, so that mistakes in it are ignored. Knows TOML only."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read_pyproject(root: Path) -> dict[str, Any]:
    """The content of the pyproject.toml in a folder; empty if there is none, or it cannot be read."""
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def table(content: Any, *keys: str) -> dict[str, Any]:
    """The table at these keys; empty for anything else."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}
