"""A project's pyproject.toml, read leniently: it is somebody else's file. Knows TOML; knows no rule of packaging."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def read_pyproject(root: Path) -> dict[str, Any]:
    """The content of a folder's pyproject.toml; empty if there is none that can be read."""
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def table(content: Any, *keys: str) -> dict[str, Any]:
    """The table below these keys; empty if there is something else or nothing."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}
