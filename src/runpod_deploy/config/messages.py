"""pydantic's errors as messages about a YAML file. Knows the validator's error types; knows no rule."""

from __future__ import annotations

from typing import Any

from ..spec.spelling import closest
from .document import Document
from .fields import names_at
from .finding import Finding, Loc

TYPE_NAMES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "dataclass_exact_type": "a mapping",
}


def finding_of(detail: Any, document: Document) -> Finding:
    """One error as a finding."""
    loc: Loc = tuple(detail["loc"])
    kind = detail["type"]
    if loc and loc[-1] == "[key]":
        return document.finding(loc[:-1], f"the name {loc[-2]!r} {_problem(detail)}")
    if kind == "unexpected_keyword_argument":
        return unknown_key(loc, document)
    if kind == "missing":
        return document.finding(loc, "is required")
    if kind in TYPE_NAMES:
        return wrong_type(loc, TYPE_NAMES[kind], detail["input"], document)
    if kind == "literal_error":
        return wrong_choice(loc, detail, document)
    return document.finding(loc, _problem(detail))


def unknown_key(loc: Loc, document: Document) -> Finding:
    """The finding for a key that the schema does not have in that section."""
    known = names_at(loc[:-1])
    meant = closest(str(loc[-1]), known)
    hint = f"did you mean `{meant}`?" if meant else f"known keys: {', '.join(known)}"
    return document.finding(loc, "unknown key", hint=hint)


def wrong_type(loc: Loc, wanted: str, given: Any, document: Document) -> Finding:
    """The finding for a value of the wrong type."""
    return document.finding(
        loc, f"must be {wanted}, got {_shown(given)}", hint=_type_hint(loc, wanted, given, document)
    )


def _type_hint(loc: Loc, wanted: str, given: Any, document: Document) -> str:
    """The right way to write the value, if that can be guessed."""
    if wanted == "text" and isinstance(given, (int, float)) and (text := document.position(loc).text):
        return f'put it in quotes: "{text}"'
    if wanted == "a list" and isinstance(given, (str, dict)):
        return "start each entry with `- `"
    if wanted == "a mapping" and isinstance(given, str) and loc[0] in ("setup", "preflight"):
        return "write `- command: ...`"
    return ""


def wrong_choice(loc: Loc, detail: Any, document: Document) -> Finding:
    """The finding for a value that is not one of the allowed choices."""
    choices = detail["ctx"]["expected"].replace("'", "")
    meant = closest(str(detail["input"]), choices.replace(" or ", ", ").split(", "))
    hint = f"did you mean `{meant}`?" if meant and isinstance(detail["input"], str) else ""
    return document.finding(loc, f"must be {choices}, got {_shown(detail['input'])}", hint=hint)


def _problem(detail: Any) -> str:
    """The validator's message as the end of a sentence about the field."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than":
            return f"must be greater than {context['gt']:g}, got {_shown(detail['input'])}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, got {_shown(detail['input'])}"
        case "less_than_equal":
            return f"must be at most {context['le']:,}, got {_shown(detail['input'])}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "value_error":
            return str(context["error"])
        case _:
            message = str(detail["msg"])
            return message[:1].lower() + message[1:]


def _shown(value: Any) -> str:
    """A short form of a value, for the user to recognise it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value) if isinstance(value, str) else str(value)[:60]
    return text if len(text) <= 60 else f"{text[:57]}..."
