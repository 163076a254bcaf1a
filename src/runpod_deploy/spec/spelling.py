"""A guess at what a mistyped name means, for "did you mean". Knows spelling; knows no name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, even if only its first word was given; empty if none is similar."""
    candidates = {other.lower(): other for other in known}
    begun = [other for other in candidates if other.startswith(f"{name.lower()}_")]
    near = begun or difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
    return candidates[min(near, key=len)] if near else ""
