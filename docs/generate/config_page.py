"""The config reference as Markdown. Knows the schema's JSON form; knows nothing about the rules behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runpod_deploy.config.json_schema import json_schema

INTRODUCTION = """\
# The YAML file

One file describes one job. `runpod-deploy validate --config FILE` checks it and reports every mistake with its line.
`runpod-deploy schema` prints the rules as JSON Schema for editors. Unknown keys are errors. Text fields may use
[templates](../templates.md). This page is made from the code that reads the file.

## The root

These fields are at the left margin of the file. Bold fields are required, in every section.
"""


def page() -> str:
    """The whole page: the root's fields, then one part for each section of the file."""
    schema = json_schema()
    sections = {key: schema["$defs"].get(referred(field)) for key, field in schema["properties"].items()}
    for key, below in sections.items():
        if below:
            schema["properties"][key].setdefault("description", below["description"])
    parts = [INTRODUCTION, *table(schema)]
    for key, below in sections.items():
        if below:
            parts += ["", *section(heading(key, schema["properties"][key]), below)]
    return "\n".join(parts) + "\n"


def referred(field: dict[str, Any]) -> str | None:
    """The name of the section that a field holds, or holds a list of; None for plain values."""
    target: str | None = field.get("$ref") or field.get("items", {}).get("$ref")
    return target.rsplit("/", 1)[-1] if target else None


def heading(key: str, field: dict[str, Any]) -> str:
    """`pod`, or `staging[]` for a list of sections."""
    return f"{key}[]" if "items" in field else key


def section(title: str, schema: dict[str, Any]) -> Iterator[str]:
    """Heading, purpose and fields of one section."""
    yield f"## {title}"
    yield ""
    yield schema["description"]
    yield ""
    yield from table(schema)


def table(schema: dict[str, Any]) -> Iterator[str]:
    """One row for each field."""
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", ())
    for key, field in schema["properties"].items():
        shown = f"**`{key}`**" if key in required else f"`{key}`"
        yield f"| {shown} | {kind(key, field)} | {default(field, key in required)} | {meaning(field)} |"


def kind(key: str, field: dict[str, Any]) -> str:
    """The type in a few words, or a link if the field is a section."""
    if referred(field):
        return f"list of [{key}](#{key})" if "items" in field else f"[{key}](#{key})"
    choices = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    return " or ".join(plain_kind(one) for one in choices)


def plain_kind(field: dict[str, Any]) -> str:
    """The type of a plain value, a list or a map."""
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field["type"] == "array":
        return f"list of {plain_kind(field['items'])}"
    if field["type"] == "object":
        values = next(iter((field.get("patternProperties") or field["properties"]).values()))
        return f"map of {plain_kind(values)}"
    return NAMES[field["type"]] + bound(field)


NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def bound(field: dict[str, Any]) -> str:
    """The lower bound, if there is one."""
    if "exclusiveMinimum" in field:
        return f" > {field['exclusiveMinimum']}"
    return f" ≥ {field['minimum']}" if "minimum" in field else ""


def default(field: dict[str, Any], required: bool) -> str:
    """The value that the field has if it is left out."""
    value = field.get("default")
    if required or value in (None, [], {}, ""):
        return ""
    return f"`{json.dumps(value)}`" if not isinstance(value, str) else f"`{value}`"


def meaning(field: dict[str, Any]) -> str:
    """The docstring on one line, fit for a table."""
    text = " ".join(field["description"].split()).replace("|", "\\|")
    return f"*Deprecated.* {text}" if field.get("deprecated") else text
