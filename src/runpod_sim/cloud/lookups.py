"""The records of an account that a body names by id: its template, credential and volume. Knows no pods, no HTTP."""

from __future__ import annotations

from typing import Any

from ..records.problems import REGISTRY_NOT_FOUND, bad, invalid, missing
from ..records.templates import PUBLIC

Record = dict[str, Any]
Records = dict[str, Record]


def template_of(body: Record, templates: Records) -> Record | None:
    """The template that the body names, if it names one. Raises Problem if it cannot be used for pods."""
    if "templateId" not in body:
        return None
    template = templates.get(body["templateId"]) or PUBLIC.get(body["templateId"])
    if template is None:
        raise missing()
    if template["serverless"]:
        raise invalid("$.templateId: template is a serverless template")
    return template


def check_registry(spec: Record, registries: Records) -> None:
    """Raises Problem unless the account has the credential that the spec names."""
    if spec["registry"] and spec["registry"] not in registries:
        raise bad(REGISTRY_NOT_FOUND)


def volume_of(spec: Record, volumes: Records) -> Record | None:
    """The network volume that the spec names, if it names one. Raises Problem if the account does not have it."""
    network = spec["mounts"].get("network") or []
    if not network:
        return None
    if network[0]["volumeId"] not in volumes:
        raise missing()
    return volumes[network[0]["volumeId"]]
