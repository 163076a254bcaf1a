"""Checks of bodies against schemas, with errors worded as the API does. Knows jsonschema; knows no HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from .problems import invalid
from .schemas import Schema


def _matches(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """The API's language knows ASCII digits only, and its `$` is the very end."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance, re.ASCII):
        yield ValidationError(f"'{instance}' does not match pattern '{pattern}'")


VALIDATOR = validators.extend(Draft202012Validator, {"pattern": _matches})  # type: ignore[no-untyped-call]
JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}


def body_of(raw: bytes, schema: Schema) -> Any:
    """The body, which fits the schema: an object, unless the schema allows something else. Raises Problem."""
    try:
        body = read_json(raw)
    except ValueError as error:
        raise invalid("$: request body is not valid JSON") from error
    if lines := breaches(body, schema):
        raise invalid(*lines)
    return body


def breaches(body: Any, schema: Schema) -> list[str]:
    """A line for each thing in the body that the schema does not allow."""
    return sorted({line for error in VALIDATOR(schema).iter_errors(body) for line in _lines(error)})


def read_json(raw: bytes) -> Any:
    """The JSON value. 2.0 is the integer 2, and half a surrogate pair, which no file name can have, is replaced.

    Raises ValueError, also for NaN, which is no JSON, and for more levels than anybody needs.
    """
    try:
        value = json.loads(raw, parse_float=_number, parse_constant=_no_number)
        if b"\\ud" in raw.lower():
            return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("too many levels") from None
    return value


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _lines(error: ValidationError) -> Iterator[str]:
    if error.context:
        for inner in error.context:
            yield from _lines(inner)
    path = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    yield f"{path}: {_wording(error)}"


def _wording(error: ValidationError) -> str:
    limit: Any = error.validator_value
    found: Any = error.instance
    rules: Any = error.schema
    match error.validator:
        case "enum":
            return "value must be one of " + ", ".join(f"'{value}'" for value in limit)
        case "required":
            return f"missing property '{next(name for name in limit if name not in found)}'"
        case "additionalProperties":
            known = rules["properties"]
            extra = ", ".join(f"'{name}'" for name in found if name not in known)
            return f"additional properties {extra} not allowed"
        case "type":
            want = " or ".join([limit] if isinstance(limit, str) else limit)
            return f"got {JSON_NAMES.get(type(found), 'null')}, want {want}"
        case "minimum" | "maximum":
            return f"{error.validator}: got {found}, want {limit}"
        case "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties":
            return f"{error.validator}: got {len(found)}, want {limit}"
        case "pattern":
            return f"'{found}' does not match pattern '{limit}'"
    return str(error.message)
