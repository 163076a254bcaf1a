"""The spec: schema version 2 of the YAML file as frozen values. Knows names, types and rules; knows no file.

The classes are plain dataclasses so that a run in flight carries no validation library; `config` derives
validation, JSON Schema and the reference page from these classes, their annotations and their docstrings.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .job import SCHEMA_VERSION, RunpodJobSpec, Spec
    from .machine import (
        STORAGE_EPHEMERAL,
        STORAGE_NETWORK_VOLUME,
        BudgetSpec,
        GuardSpec,
        LifecyclePolicySpec,
        LocalSpec,
        PodSpec,
        SshSpec,
        StorageSpec,
    )
    from .types import LIFECYCLE_ACTIONS, CloudType, LifecycleAction
    from .work import (
        DEFAULT_FAILURE_MARKERS,
        DEFAULT_STAGING_EXCLUDES,
        HOME_ON_POD,
        ArtifactPullSpec,
        CommandSpec,
        RemoteEnvSpec,
        RsyncPushSpec,
        RunSpec,
        SecretSpec,
        TelemetrySpec,
    )

__all__ = [
    "DEFAULT_FAILURE_MARKERS",
    "DEFAULT_STAGING_EXCLUDES",
    "HOME_ON_POD",
    "LIFECYCLE_ACTIONS",
    "SCHEMA_VERSION",
    "STORAGE_EPHEMERAL",
    "STORAGE_NETWORK_VOLUME",
    "ArtifactPullSpec",
    "BudgetSpec",
    "CloudType",
    "CommandSpec",
    "GuardSpec",
    "LifecycleAction",
    "LifecyclePolicySpec",
    "LocalSpec",
    "PodSpec",
    "RemoteEnvSpec",
    "RsyncPushSpec",
    "RunSpec",
    "RunpodJobSpec",
    "SecretSpec",
    "Spec",
    "SshSpec",
    "StorageSpec",
    "TelemetrySpec",
]

HOMES = {
    "ArtifactPullSpec": "work",
    "BudgetSpec": "machine",
    "CloudType": "types",
    "CommandSpec": "work",
    "DEFAULT_FAILURE_MARKERS": "work",
    "DEFAULT_STAGING_EXCLUDES": "work",
    "GuardSpec": "machine",
    "HOME_ON_POD": "work",
    "LIFECYCLE_ACTIONS": "types",
    "LifecycleAction": "types",
    "LifecyclePolicySpec": "machine",
    "LocalSpec": "machine",
    "PodSpec": "machine",
    "RemoteEnvSpec": "work",
    "RsyncPushSpec": "work",
    "RunSpec": "work",
    "RunpodJobSpec": "job",
    "SCHEMA_VERSION": "job",
    "STORAGE_EPHEMERAL": "machine",
    "STORAGE_NETWORK_VOLUME": "machine",
    "SecretSpec": "work",
    "Spec": "job",
    "SshSpec": "machine",
    "StorageSpec": "machine",
    "TelemetrySpec": "work",
}


def __getattr__(name: str) -> Any:
    """A name of the package, imported when it is first used: most commands need a module or two of this folder."""
    if name in HOMES:
        return getattr(import_module(f".{HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
