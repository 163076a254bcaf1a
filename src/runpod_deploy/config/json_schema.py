"""The JSON Schema of a config, for editors and the reference page. Knows the keys that a file has beyond the spec."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from .. import spec
from ..spec.rules import Matches, hints_of
from .field_docs import field_docs
from .fields import bare
from .legacy import LISTS
from .schema import adapter

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXTENDS = {
    "type": "string",
    "minLength": 1,
    "title": "Extends",
    "description": "Path of another YAML file, relative to this one's folder. Its values are used where this file "
    "gives none. Mappings are merged, lists are replaced.",
}
STOP = {
    "type": "object",
    "deprecated": True,
    "title": "Stop",
    "description": "Replaced by `lifecycle`. `true` means `delete` on success and `stop` on failure.",
    "additionalProperties": False,
    "properties": {
        "on_success": {"type": "boolean", "description": "true: delete; false: preserve."},
        "on_failure": {"type": "boolean", "description": "true: stop; false: preserve."},
    },
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a whole file that does not extend another one."""
    schema = adapter().json_schema()
    for name, section in {**schema["$defs"], "RunpodJobSpec": schema}.items():
        section.update(RULES.get(name, {}))
        cls = getattr(spec, name)
        docs = field_docs(cls)
        for field, hint in hints_of(cls).items():
            section["properties"][field].update(description=docs[field], **rule_of_keys(hint))
    properties = schema["properties"]
    for name in LISTS:
        properties[name]["type"] = ["array", "null"]
    properties.update({"extends": EXTENDS, "stop": STOP})
    pod = schema["$defs"]["PodSpec"]["properties"]
    pod["spot"]["const"] = False
    pod["ports"]["contains"] = {"const": "22/tcp"}
    return {"$schema": DIALECT, **schema, "title": "runpod-deploy job"}


def editor_schema() -> dict[str, Any]:
    """The JSON Schema for editors: keys are only required in a file that does not extend another one."""
    schema = json_schema()
    whole: dict[str, Any] = {"required": schema.pop("required"), "properties": {}}
    for field, value in schema["properties"].items():
        section = schema["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
        needs = {rule: section.pop(rule) for rule in ("required", "anyOf") if rule in section}
        whole["properties"].update({field: needs} if needs else {})
    return {**schema, "if": {"not": {"required": ["extends"]}}, "then": whole}


def rule_of_keys(hint: Any) -> dict[str, Any]:
    """The rule for the keys of a mapping, which pydantic leaves out."""
    if get_origin(bare(hint)) is not dict:
        return {}
    key = get_args(bare(hint))[0]
    (pattern,) = (rule.regex for rule in get_args(key) if isinstance(rule, Matches))
    return {"propertyNames": {"pattern": f"^(?:{pattern})$"}}


def _needs(mode: str, field: str, kind: str) -> dict[str, Any]:
    return {"required": [field], "properties": {"mode": {"const": mode}, field: {"type": kind}}}


# Rules between fields, which the spec checks in code.
RULES: dict[str, dict[str, Any]] = {
    "PodSpec": {
        "anyOf": [
            {"required": ["gpu_order"], "properties": {"gpu_order": {"minItems": 1}, "cpu": {"type": "null"}}},
            {"required": ["cpu"], "properties": {"gpu_order": {"maxItems": 0}, "cpu": {"type": "string"}}},
        ]
    },
    "StorageSpec": {
        "anyOf": [
            _needs("network_volume", "volume_name", "string"),
            _needs("ephemeral", "volume_gb", "integer"),
        ]
    },
    "SecretSpec": {
        "oneOf": [
            {"required": ["env"], "properties": {"env": {"minItems": 1}}},
            {"required": ["env_file"], "properties": {"env_file": {"type": "string"}}},
            {
                "required": ["file", "destination"],
                "properties": {"file": {"type": "string"}, "destination": {"type": "string"}},
            },
        ]
    },
    "RunpodJobSpec": {"not": {"required": ["stop", "lifecycle"]}},
}
