"""The commands in the groups in which the help shows them, each with an example. Knows names; loads no command."""

from __future__ import annotations

from typing import NamedTuple


class Group(NamedTuple):
    """Some commands for one purpose."""

    title: str
    example: str
    commands: tuple[str, ...]


GROUPS = (
    Group(
        "Run",
        "runpod-deploy run job.yaml --detach",
        ("run", "attach", "stop", "resume", "pull", "ssh"),
    ),
    Group(
        "Look",
        "runpod-deploy logs last",
        ("status", "logs", "events", "manifest-summary", "manifest", "report", "note"),
    ),
    Group(
        "Compare",
        "runpod-deploy ls-runs",
        ("ls-runs", "compare-runs", "events-query"),
    ),
    Group(
        "Pods and money",
        "runpod-deploy audit",
        ("audit", "ls-stale", "cleanup", "prune", "billing", "estimate", "gpu-list", "gpu-inventory", "gpu-prices"),
    ),
    Group(
        "Config",
        "runpod-deploy init job.yaml",
        ("init", "validate", "config", "schema", "capture-env", "doctor"),
    ),
)
OTHER = "More"
"""The title of commands that are in no group."""


def grouped(names: list[str]) -> list[Group]:
    """The groups with those of their commands that exist, and the rest of the names at the end."""
    known = {name for group in GROUPS for name in group.commands}
    groups = [group._replace(commands=tuple(name for name in group.commands if name in names)) for group in GROUPS]
    rest = tuple(name for name in names if name not in known)
    return [*groups, Group(OTHER, "", rest)] if rest else groups
