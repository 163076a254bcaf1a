"""The spec: schema version 2 of the YAML file as frozen values. Knows names, types and rules; knows no file.

The classes are plain dataclasses so that a run in flight carries no validation library; `config` derives
validation, JSON Schema and the reference page from these classes, their annotations and their docstrings.
"""

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
