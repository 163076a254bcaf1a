"""JSON that every parser takes, and JSON from outside within bounds. Knows no type of ours.

Python writes NaN and halves of characters, which JSON does not have, and reads nestings so deep that it cannot write
them again, and numbers so large that no arithmetic takes them.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

DEEPEST = 50
"""The most levels of a value from outside: no record of ours, and no metric, has more than ten."""
MOST_DIGITS = 300
"""A longer whole number fits into no float."""
HALF = re.compile("[\ud800-\udfff]")


def loads(text: str | bytes) -> Any:
    """The value of a JSON text from outside; null in place of what is no finite number. Raises ValueError."""
    try:
        value = json.loads(text, parse_constant=finite_number, parse_float=finite_number, parse_int=whole_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not is_shallow(value, DEEPEST):
        raise ValueError("nested too deeply")
    return value


def dumps(value: Any, indent: int | None = None) -> str:
    """The value as ASCII text. What is no finite number is null; a lone half of a character is U+FFFD."""
    try:
        text = json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        text = json.dumps(clean(value), indent=indent)
    return json.dumps(clean(value), indent=indent) if "\\ud" in text else text


def finite_number(text: str) -> float | None:
    """The number; None for NaN and infinities, which JSON does not have but a training loss can be."""
    value = float(text)
    return value if math.isfinite(value) else None


def whole_number(text: str) -> int | None:
    """The number; None if it has too many digits."""
    return int(text) if len(text) <= MOST_DIGITS else None


def is_shallow(value: object, levels: int) -> bool:
    """Whether the value has at most this many levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(is_shallow(item, levels - 1) for item in inner)


def clean(value: Any) -> Any:
    """The value with null in place of NaN and infinities, and with whole characters only, however deep."""
    if isinstance(value, dict):
        return {clean(key) if isinstance(key, str) else key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, str):
        return whole(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def whole(text: str) -> str:
    """The text with U+FFFD in place of each lone half of a character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if HALF.search(text) else text
