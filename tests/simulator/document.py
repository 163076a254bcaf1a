"""The published OpenAPI documents, where they are at hand, and what they say of an answer."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
DATA_PATH = Path(os.environ.get("RUNPOD_PUBLISHED_DATA", ROOT.parent / "shared/data"))
PUBLISHED = "runpod-openapi-v2.json"
OBSERVED = "runpod-openapi-v2-2026-10.json"
"""The published one with what was observed since."""
RECORDED = "recorded-live-2026-08-20.json"
# What the simulator leaves out on purpose: nothing of it is about pods.
OUT_OF_SCOPE = ("/v2/clusters", "/v2/serverless", "/v2/registries/delegations")


def read(name: str) -> Any:
    """The file's contents; the test is skipped where there is no such file."""
    path = DATA_PATH / name
    if not path.exists():
        pytest.skip(f"no {path}: the published documents are not part of the repository")
    return json.loads(path.read_text())


@dataclass(frozen=True)
class Document:
    """One published OpenAPI document."""

    whole: dict[str, Any]

    def operations(self) -> list[tuple[str, str]]:
        """Method and path of every operation in scope."""
        return [
            (method.upper(), path)
            for path, operations in self.whole["paths"].items()
            for method in operations
            if method != "parameters" and not path.startswith(OUT_OF_SCOPE)
        ]

    def path_of(self, path: str) -> str | None:
        """The path of the document that an address belongs to."""
        parts = path.partition("?")[0].split("/")
        fitting = [known for known in self.whole["paths"] if _fits(known.split("/"), parts)]
        return min(fitting, key=lambda known: known.count("{"), default=None)

    def complaints(self, method: str, path: str, status: int, kind: str, body: Any) -> list[str]:
        """The differences between this answer and the document; none if it does not have the operation."""
        known = self.path_of(path)
        if known is None or method.lower() not in self.whole["paths"][known]:
            return []
        responses = self.whole["paths"][known][method.lower()]["responses"]
        response = self._resolved(responses.get(str(status)) or responses["default"])
        contents = response.get("content")
        if not contents:
            return [] if not body else [f"{status} has no body, but there is one"]
        if kind not in contents:
            return [f"{status} comes as {', '.join(contents)}, not as {kind}"]
        # With the document's components, to which the schema refers.
        schema = {"components": self.whole["components"], "allOf": [contents[kind]["schema"]]}
        return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(body)]

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in part:
            return part
        found: Any = self.whole
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return dict(found)


def _fits(known: list[str], parts: list[str]) -> bool:
    return len(known) == len(parts) and all(
        name == part or name.startswith("{") for name, part in zip(known, parts, strict=True)
    )
