"""The JSON Schema of each kind of fault, from its name and its parameters. Pure; knows no request."""

from __future__ import annotations

from typing import Any

from ..records.pods import ERROR, UP
from ..records.schemas import FLAG, TEXT, Schema, strict
from .kinds import CONDITIONS, FAULT_KINDS

SHORT: Schema = TEXT | {"maxLength": 1000}
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}
NUMBER: Schema = {"type": "number", "minimum": 0, "maximum": 1_000_000_000}
# An instant plus this stays within the calendar.
JUMP: Schema = {"type": "number", "minimum": -1_000_000_000, "maximum": 1_000_000_000}
STATUS: Schema = {"type": "integer", "minimum": 200, "maximum": 599}
NAMED: dict[str, Schema] = {
    "refuse.status": STATUS,
    "edge-refuses.status": STATUS,
    "key-refused.status": STATUS,
    "effect-then-500.status": STATUS,
    "edge-refuses.form": {"enum": ["json", "text", "html"]},
    "never-running.status": {"enum": [*UP, ERROR]},
    "pod-dies.as": {"enum": ["gone", "exited"]},
    "image-pull-fails.cause": {"enum": ["broken", "not-found", "denied", "rate-limit", "disk-full"]},
    "crash-loop.cause": {"enum": ["cuda", "memory", "command"]},
    "clock-jumps.seconds": JUMP,
    "pod-clock-jumps.seconds": JUMP,
    # These are made in memory: the numbers stay within what a small machine has.
    "unfolds.megabytes": COUNT | {"maximum": 4096},
    "deep.levels": COUNT | {"maximum": 10_000_000},
    # A price may be anything that an API could say, and an API's fields as well.
    "other-price.usd_per_hour": {},
}
"""The parameters whose values have another shape than that of their default."""


def shape_of(what: str) -> Schema:
    """The shape of a fault of this kind."""
    parameters = {name: _shape(f"{what}.{name}", default) for name, default in FAULT_KINDS[what].parameters.items()}
    common = {"what": SHORT, "where": SHORT, "nth": COUNT | {"minimum": 1}, "times": COUNT}
    return strict(common | dict.fromkeys(CONDITIONS, SHORT) | parameters)


def _shape(name: str, default: Any) -> Schema:
    """The shape of a parameter: that of its default, unless it is named."""
    if name in NAMED:
        return NAMED[name]
    match default:
        case bool():
            return FLAG
        case int():
            return COUNT if name.rpartition("_")[2] != "s" else NUMBER
        case float():
            return NUMBER
        case str():
            return SHORT
        case list():
            return {"type": "array", "maxItems": 1000}
        case dict():
            return {"type": "object", "maxProperties": 1000}
    return {"type": ["null", "string", "number", "boolean"]}
