"""Older forms of a config, converted to the current one. Knows what changed; knows no template."""

from __future__ import annotations

from typing import Any

from .document import Document
from .finding import Finding, Loc

LISTS = ("setup", "preflight", "staging", "secrets", "artifacts")
ON_SUCCESS = {True: "delete", False: "preserve"}
ON_FAILURE = {True: "stop", False: "preserve"}
VERSION_HINT = "set schema_version: 2 and fix the other mistakes that are listed"


def upgrade(plain: dict[str, Any], document: Document) -> tuple[dict[str, Any], list[Finding]]:
    """The values in the current form, and findings about the older forms."""
    result = {key: value for key, value in plain.items() if not (key in LISTS and value is None)}
    return result, [*_version(result, document), *_stop(result, document)]


def _version(plain: dict[str, Any], document: Document) -> list[Finding]:
    """An error for another schema version, which is then set to 2, so that all other mistakes are found."""
    version = plain.get("schema_version", 2)
    if version in (2, None) or not isinstance(version, int) or isinstance(version, bool):
        return []
    plain["schema_version"] = 2
    return [document.finding(("schema_version",), f"version {version} is not supported", hint=VERSION_HINT)]


def _stop(plain: dict[str, Any], document: Document) -> list[Finding]:
    """Replaces `stop: {on_success: bool, on_failure: bool}` by `lifecycle:`."""
    if "stop" not in plain:
        return []
    stop = plain.pop("stop")
    if "lifecycle" in plain:
        return [document.finding(("stop",), "cannot be combined with lifecycle:, which has replaced it; remove it")]
    if mistakes := _stop_mistakes(stop, document):
        return mistakes
    success, failure = ON_SUCCESS[stop.get("on_success", True)], ON_FAILURE[stop.get("on_failure", True)]
    plain["lifecycle"] = {"on_success": success, "on_failure": failure}
    hint = f"write lifecycle: {{on_success: {success}, on_failure: {failure}}}"
    return [document.finding(("stop",), "[deprecated] was replaced by lifecycle:", hint=hint, level="warning")]


def _stop_mistakes(stop: Any, document: Document) -> list[Finding]:
    if not isinstance(stop, dict):
        return [document.finding(("stop",), "must be a mapping; write lifecycle: instead")]
    findings = []
    for key, value in stop.items():
        loc: Loc = ("stop", key)
        if key not in ("on_success", "on_failure"):
            findings.append(document.finding(loc, "unknown key", hint="known keys: on_success, on_failure"))
        elif not isinstance(value, bool):
            findings.append(document.finding(loc, "must be true or false; write other actions into lifecycle:"))
    return findings
