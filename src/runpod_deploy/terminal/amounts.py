"""Amounts as people read them. Knows numbers only."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """`1 pod`, `3,000 pods`."""
    return f"{number} {what}" if number == 1 else f"{number:,} {what}s"


def files(count: int) -> str:
    """`1 file`, `3 files`."""
    return counted(count, "file")


def size(count: float) -> str:
    """A number of bytes as people read it: `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
