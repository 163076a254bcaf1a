"""Specs as JSON and back, for `spec.json`. Knows no file and no validation library."""

from __future__ import annotations

import json

from . import Spec
from .plain import from_plain, to_plain
from .strict_json import loads


def spec_to_json(spec: Spec) -> str:
    """The spec as indented JSON; secrets are in it by name only, as in the spec itself."""
    text = json.dumps(to_plain(spec), indent=2, ensure_ascii=False) + "\n"
    # A half of a character, as in a file name that is no UTF-8, cannot be encoded; its escape is the same in JSON.
    return text.encode("utf-8", "backslashreplace").decode()


def spec_from_json(text: str) -> Spec:
    """The spec of such a text. Keys that this version does not know are ignored. Raises ValueError."""
    return from_plain(Spec, loads(text))
