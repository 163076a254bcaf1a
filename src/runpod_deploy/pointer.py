"""The state file: a small JSON file that names the active pod for people and scripts. Knows its form only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError

ID_KEYS = ("pod_id", "id", "podId")
"""As it is written, and as older files have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What a state file says."""

    pod_id: str
    run_id: str | None = None
    """None in files of former times: nothing then tells whose pod it is."""
    run_dir: Path | None = None


def read_pointer(path: Path) -> Pointer:
    """What the file says. Raises ConfigError if there is none, or no pod in it."""
    try:
        row: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such state file", hint="no pod is recorded there: it may be released") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}", hint="give a state file of `run`") from error
    fields = row if isinstance(row, dict) else {}
    pod_id = next((str(fields[key]) for key in ID_KEYS if fields.get(key)), None)
    if pod_id is None:
        raise ConfigError(f"{path}: names no pod", hint=f"expected one of the keys {', '.join(ID_KEYS)}")
    run_dir = fields.get("run_dir")
    return Pointer(pod_id=pod_id, run_id=fields.get("run_id"), run_dir=Path(run_dir) if run_dir else None)
