"""The whole ask: a job as its file says, and one run of it. Knows names and rules; knows no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from .machine import (
    STORAGE_NETWORK_VOLUME,
    BudgetSpec,
    GuardSpec,
    LifecyclePolicySpec,
    LocalSpec,
    PodSpec,
    SshSpec,
    StorageSpec,
)
from .rules import STRICT, Checked, Mistake
from .types import CloudType, Identifier, Text
from .work import ArtifactPullSpec, CommandSpec, RemoteEnvSpec, RsyncPushSpec, RunSpec, SecretSpec, TelemetrySpec

SCHEMA_VERSION: Literal[2] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunpodJobSpec(Checked):
    """One job: one YAML file of schema version 2."""

    __pydantic_config__: ClassVar = STRICT

    schema_version: Literal[2] = 2
    """Always 2."""
    name: Text
    """The job's name."""
    run_id_prefix: str = ""
    """What run ids and pod names start with; the name if empty."""
    state_file: Text | None = None
    """Local JSON pointer to the active pod; only needed to recycle a pod or for scripts that read it."""
    local: LocalSpec = field(default_factory=LocalSpec)
    """What is used of the caller's machine."""
    pod: PodSpec
    """The machine to rent."""
    storage: StorageSpec
    """The volume of the pod."""
    ssh: SshSpec = field(default_factory=SshSpec)
    """How the pod is reached."""
    budget: BudgetSpec = field(default_factory=BudgetSpec)
    """Limits of money and time."""
    remote_env: RemoteEnvSpec = field(default_factory=RemoteEnvSpec)
    """Environment of commands with `with_env` and of the job."""
    setup: tuple[CommandSpec, ...] = ()
    """Commands that prepare the pod, before staging."""
    staging: tuple[RsyncPushSpec, ...] = ()
    """What to put on the pod."""
    secrets: tuple[SecretSpec, ...] = ()
    """Secrets to put on the pod, over standard input only."""
    preflight: tuple[CommandSpec, ...] = ()
    """Commands that check the pod, after staging."""
    run: RunSpec
    """The job."""
    artifacts: tuple[ArtifactPullSpec, ...] = ()
    """What to bring home."""
    lifecycle: LifecyclePolicySpec = field(default_factory=LifecyclePolicySpec)
    """What becomes of the pod."""
    telemetry: TelemetrySpec = field(default_factory=TelemetrySpec)
    """What is measured and recorded."""
    guard: GuardSpec = field(default_factory=GuardSpec)
    """The dead-man's switch on the pod."""
    variables: dict[Identifier, str] = field(default_factory=dict)
    """Values for `{name}` in other fields; `--var` replaces them."""

    @property
    def resolved_state_file(self) -> Path | None:
        """The state file's path with `~` expanded; a relative one starts at the working directory."""
        return Path(self.state_file).expanduser().absolute() if self.state_file else None

    def contradictions(self) -> Iterator[Mistake]:
        """Names that records go by are unique; a network volume is on the secure cloud only."""
        yield from repeated("staging", "label", self.staging)
        yield from repeated("secrets", "name", self.secrets)
        yield from repeated("artifacts", "label", self.artifacts)
        if self.storage.mode == STORAGE_NETWORK_VOLUME and self.pod.cloud_type == "COMMUNITY":
            yield Mistake("pod.cloud_type", "must be SECURE: RunPod has no network volumes on COMMUNITY")


def repeated(section: str, key: str, entries: Sequence[object]) -> Iterator[Mistake]:
    """Every entry whose name an earlier entry of the section has taken."""
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        name = getattr(entry, key)
        if first.setdefault(name, i) != i:
            yield Mistake(f"{section}[{i}].{key}", f"{name!r} is taken by {section}[{first[name]}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One run as asked: a rendered job, an identity, and the flags of this one invocation."""

    run_id: str
    """Unique name of the run and of its pod."""
    config_path: Path
    """The YAML file, absolute."""
    project_root: Path
    """Absolute."""
    job: RunpodJobSpec
    """Every template rendered."""
    variables: dict[str, str] = field(default_factory=dict)
    """Effective user variables, rendered."""
    origins: dict[str, str] = field(default_factory=dict)
    """Where values came from: dotted path to `file:line`, `--flag` or `default`."""
    config_sha256: str = ""
    """Hash of the YAML text as read."""
    created_at: datetime
    """When the run was asked for, UTC."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The five facts of `capture-env`, those that are switched on."""
    gpu_id: str | None = None
    """With datacenter_id: skip selection and ask for exactly this."""
    datacenter_id: str | None = None
    """See gpu_id."""
    fallback_cloud_type: CloudType | None = None
    """A second cloud to try when the first has no stock."""
    force_fresh: bool = False
    """Do not resume a recycled pod."""
    wait_for_stock_s: float | None = None
    """How long to keep looking for stock."""
