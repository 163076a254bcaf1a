"""Older ways to write a config, brought to the present one. Knows what changed; knows no template."""

from __future__ import annotations

from typing import Any

from .document import Document
from .finding import Finding, Loc

LISTS = ("setup", "preflight", "staging", "secrets", "artifacts")
ON_SUCCESS = {True: "delete", False: "preserve"}
ON_FAILURE = {True: "stop", False: "preserve"}
VERSION_HINT = "set schema_version: 2 and put right what else is listed here"


def modernise(plain: dict[str, Any], document: Document) -> tuple[dict[str, Any], list[Finding]]:
    """The values as a file of today would hold them, and what is to be said about the old ones."""
    result = {key: value for key, value in plain.items() if not (key in LISTS and value is None)}
    return result, [*_version(result, document), *_stop(result, document)]


def _version(plain: dict[str, Any], document: Document) -> list[Finding]:
    """An error for schema version 1; the version is then set right, so that all else that is wrong shows."""
    version = plain.get("schema_version", 2)
    if version in (2, None) or not isinstance(version, int) or isinstance(version, bool):
        return []
    plain["schema_version"] = 2
    return [document.finding(("schema_version",), f"version {version} is not supported", hint=VERSION_HINT)]


def _stop(plain: dict[str, Any], document: Document) -> list[Finding]:
    """`stop: {on_success: bool, on_failure: bool}` has become `lifecycle:`."""
    if "stop" not in plain:
        return []
    stop = plain.pop("stop")
    if "lifecycle" in plain:
        return [document.finding(("stop",), "cannot go with lifecycle:, which has replaced it; remove it")]
    if mistakes := _stop_mistakes(stop, document):
        return mistakes
    success, failure = ON_SUCCESS[stop.get("on_success", True)], ON_FAILURE[stop.get("on_failure", True)]
    plain["lifecycle"] = {"on_success": success, "on_failure": failure}
    hint = f"write lifecycle: {{on_success: {success}, on_failure: {failure}}}"
    return [document.finding(("stop",), "[deprecated] has become lifecycle:", hint=hint, level="warning")]


def _stop_mistakes(stop: Any, document: Document) -> list[Finding]:
    if not isinstance(stop, dict):
        return [document.finding(("stop",), "must be a mapping; better write lifecycle:")]
    findings = []
    for key, value in stop.items():
        loc: Loc = ("stop", key)
        if key not in ("on_success", "on_failure"):
            findings.append(document.finding(loc, "unknown key", hint="known here: on_success, on_failure"))
        elif not isinstance(value, bool):
            findings.append(document.finding(loc, "must be true or false; other actions go into lifecycle:"))
    return findings
