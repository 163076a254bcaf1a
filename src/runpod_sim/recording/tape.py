"""A recording as a file: exchanges in their order. Knows JSON; knows no HTTP."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..files import read_json, write_private


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


KINDS = {"method": str, "path": str, "status": int, "headers": dict}
NAMES = frozenset(field.name for field in fields(Exchange))
MOST = 64 << 20


def write(path: Path, exchanges: list[Exchange]) -> None:
    """The file holds the exchanges, and only its owner can read it. No link is followed. Raises OSError."""
    text = json.dumps({"exchanges": [asdict(exchange) for exchange in exchanges]}, indent=1)
    write_private(path, text + "\n")


def read(path: Path) -> list[Exchange]:
    """The exchanges of the file. Raises OSError."""
    try:
        whole = read_json(path, MOST)
        rows = whole.get("exchanges") if isinstance(whole, dict) else None
        if not isinstance(rows, list):
            raise ValueError("it has no list of exchanges")
        return [_exchange(row, f"exchanges[{at}]") for at, row in enumerate(rows)]
    except ValueError as error:
        raise TapeUnreadable(f"{path} is no recording of runpod-sim: {error}") from error


def _exchange(row: Any, place: str) -> Exchange:
    """The exchange of a row that somebody else may have written. Raises ValueError."""
    if not isinstance(row, dict) or not NAMES.issuperset(row) or not row.keys() >= {"method", "path", "headers"}:
        raise ValueError(f"{place} has not the fields of an exchange")
    for name, kind in KINDS.items():
        if name in row and type(row[name]) is not kind:
            raise ValueError(f"{place}.{name} is not of the type {kind.__name__}")
    if not 200 <= row.get("status", 200) <= 599:
        raise ValueError(f"{place}.status is not from 200 to 599")
    if not all(name in KEPT_HEADERS and _is_line(value) for name, value in row["headers"].items()):
        raise ValueError(f"{place}.headers has other headers than {', '.join(KEPT_HEADERS)}, or one that is no line")
    return Exchange(**row)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()
