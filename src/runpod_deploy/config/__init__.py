"""From the text of a YAML file to a frozen spec. Knows files and flags; knows no cloud and no pod."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    from .draft import Draft
    from .finding import Finding
    from .loading import examine, load
    from .variables import parse_variables

__all__ = ["Draft", "Finding", "examine", "load", "parse_variables"]

HOMES = {
    "Draft": "draft",
    "Finding": "finding",
    "examine": "loading",
    "load": "loading",
    "parse_variables": "variables",
}

OF_THE_EARLIER_TOOL = (
    "DEFAULT_STAGING_EXCLUDES LIFECYCLE_ACTIONS SCHEMA_VERSION STORAGE_EPHEMERAL STORAGE_NETWORK_VOLUME"
    " ArtifactPullSpec BudgetSpec CommandSpec JobContext LifecycleAction LifecyclePolicySpec LocalSpec PodSpec"
    " RemoteEnvSpec RsyncPushSpec RunSpec RunpodJobSpec SecretSpec SshSpec StopPolicySpec StorageSpec TelemetrySpec"
    " build_job_context load_job_spec validate_local_paths"
)
"""What scripts import from the module of this name that the earlier tool had. All of it is in `runpod_deploy` now."""
WARNED: list[str] = []


def earlier(name: str) -> Any:
    """The name from its new home. The first time, a warning says where that is."""
    if not WARNED:
        WARNED.append(name)
        text = f"{__name__}.{name} has moved: import it from runpod_deploy (docs/migration.md)"
        warn(text, DeprecationWarning, stacklevel=3)
    return getattr(import_module("runpod_deploy"), name)


def __getattr__(name: str) -> Any:
    """A name of the package, imported when it is first used: code that only reads settings needs no YAML."""
    if name in HOMES:
        return getattr(import_module(f".{HOMES[name]}", __name__), name)
    if name in OF_THE_EARLIER_TOOL.split():
        return earlier(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
