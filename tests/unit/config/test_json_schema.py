"""The JSON Schema says what the validator says, as far as a schema can."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runpod_deploy.config import examine
from runpod_deploy.config.json_schema import editor_schema

from .test_mistakes import WRONG

SCHEMA = editor_schema()
ROOT = Path(__file__).parents[3]
SHIPPED = sorted(path for folder in ("examples", "recipes") for path in (ROOT / folder).rglob("*.yaml"))
# Rules that no JSON Schema can say: templates, sums, the machine at hand, and other files.
BEYOND = (
    "unknown name",
    "must be one line",
    "must be an absolute path on the pod or start with a {variable}, got 'tune/x'",
    "minutes at",
    "refers to itself",
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


def test_a_file_with_a_base_may_leave_everything_to_it() -> None:
    partial = {"extends": "base.yaml", "pod": {"gpu_order": ["NVIDIA A40"]}, "run": {"body": "echo"}}
    jsonschema.validate(partial, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**partial, "run": {"bodi": "echo"}}, SCHEMA)
    del partial["extends"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(partial, SCHEMA)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_we_ship_is_valid_for_editors_and_for_us(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), SCHEMA)
    assert [finding for finding in examine(path)[1] if finding.level == "error"] == []


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
