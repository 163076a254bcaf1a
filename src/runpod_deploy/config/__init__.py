"""From the text of a YAML file to a frozen spec. Knows files and flags; knows no cloud and no pod."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .draft import Draft
    from .finding import Finding
    from .loading import examine, load
    from .variables import parse_variables

__all__ = ["Draft", "Finding", "examine", "load", "parse_variables"]

HOMES = {
    "Draft": "draft",
    "Finding": "finding",
    "examine": "loading",
    "load": "loading",
    "parse_variables": "variables",
}


def __getattr__(name: str) -> Any:
    """A name of the package, imported when it is first used: code that only reads settings needs no YAML."""
    if name in HOMES:
        return getattr(import_module(f".{HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
