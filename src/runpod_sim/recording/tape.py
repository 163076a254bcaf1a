"""A recording as a file: exchanges in their order. Knows JSON; knows no HTTP."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


class TapeUnreadable(OSError):
    """The file is no recording; the message says why."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer. The key, and headers that are not listed, are never part of it."""

    method: str
    path: str
    """With its query."""
    sent: Any = None
    """The body as JSON; None without one."""
    status: int = 200
    headers: dict[str, str]
    """Those of KEPT_HEADERS that the answer has."""
    body: Any = None
    """The answer's body: JSON if it is, else text."""


KEPT_HEADERS = ("Content-Type", "Retry-After", "Allow", "RateLimit", "RateLimit-Policy")


def write(path: Path, exchanges: list[Exchange]) -> None:
    """The file holds the exchanges, and only its owner can read it."""
    text = json.dumps({"exchanges": [asdict(exchange) for exchange in exchanges]}, indent=1)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")


def read(path: Path) -> list[Exchange]:
    """The exchanges of the file. Raises OSError."""
    try:
        return [Exchange(**row) for row in json.loads(path.read_text())["exchanges"]]
    except (ValueError, LookupError, TypeError) as error:
        raise TapeUnreadable(f"{path} is no recording of runpod-sim: {error!r}") from error
