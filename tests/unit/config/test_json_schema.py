"""The JSON Schema says what the validator says, as far as a schema can."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from runpod_deploy.config.json_schema import json_schema

from .test_mistakes import WRONG

SCHEMA = json_schema()
# Rules that no JSON Schema can say: templates, sums, the machine at hand, and other files.
BEYOND = (
    "unknown name",
    "must be one line",
    "must be an absolute path on the pod or start with a {variable}, got 'tune/x'",
    "minutes at",
    "defined by itself",
    "is your home folder",
)


def descriptions(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every field with its description."""
    for name, section in {**schema["$defs"], "root": schema}.items():
        yield name, section.get("description", "")
        for field, value in section.get("properties", {}).items():
            yield f"{name}.{field}", value.get("description", "")


def test_it_is_a_schema_with_a_description_for_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert [name for name, text in descriptions(SCHEMA) if len(text) < 5] == []


@pytest.mark.parametrize(("place", "value", "end"), WRONG, ids=[f"{p}={str(v)[:20]}" for p, v, _ in WRONG])
def test_editors_refuse_what_the_validator_refuses(plain: dict[str, Any], place: str, value: Any, end: str) -> None:
    wrong = copy.deepcopy(plain)
    section, _, field = place.partition(".")
    if field:
        wrong[section][field] = value
    else:
        wrong[section] = value
    jsonschema.validate(plain, SCHEMA)
    if not any(words in end for words in BEYOND):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)
