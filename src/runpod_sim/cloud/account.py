"""New secrets and registry credentials, for both APIs. Knows the rules for names; knows no HTTP."""

from __future__ import annotations

from typing import Any

from ..clock import iso, now
from ..records.pods import new_id
from ..records.problems import Problem, bad
from .cloud import Cloud

Record = dict[str, Any]


def add_secret(cloud: Cloud, given: Record) -> Record:
    """A new secret, its value included. Raises Problem if the name is taken."""
    if any(row["name"] == given["name"] for row in cloud.secrets.values()):
        raise Problem(409, f'secret "{given["name"]}" already exists')
    row: Record = {"description": None} | given | {"id": new_id(), "createdAt": iso(now())}
    cloud.secrets[row["id"]] = row
    return row


def add_registry(cloud: Cloud, given: Record) -> Record:
    """A new credential, its password included. Raises Problem if the name is taken."""
    if any(row["name"] == given["name"] for row in cloud.registries.values()):
        raise bad("Registry auth name must be unique.")
    row = given | {"id": new_id(25)}
    cloud.registries[row["id"]] = row
    return row
