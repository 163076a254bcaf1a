"""A job as its file describes it, and one run of it. Knows names and rules; knows no file."""

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
from .places import expanded
from .rules import STRICT, Checked, Mistake
from .types import CloudType, Identifier, NonBlank, Text
from .work import ArtifactPullSpec, CommandSpec, RemoteEnvSpec, RsyncPushSpec, RunSpec, SecretSpec, TelemetrySpec

SCHEMA_VERSION: Literal[2] = 2
RUNS_DIR = Path("artifacts", "runpod")
"""The place of all run folders in a project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunpodJobSpec(Checked):
    """One job: one YAML file of schema version 2."""

    __pydantic_config__: ClassVar = STRICT

    schema_version: Literal[2] = 2
    """Version of this format: always 2."""
    name: Text
    """Name of the job."""
    run_id_prefix: str = ""
    """Start of run ids and pod names. If empty, the job's name."""
    state_file: Text | None = None
    """Local JSON file that names the active pod. Only needed to recycle pods, or for scripts that read it."""
    local: LocalSpec = field(default_factory=LocalSpec)
    """The project on the caller's machine."""
    pod: PodSpec
    """The pod to rent."""
    storage: StorageSpec
    """The volume of the pod."""
    ssh: SshSpec = field(default_factory=SshSpec)
    """SSH access to the pod."""
    budget: BudgetSpec = field(default_factory=BudgetSpec)
    """Limits of money and time."""
    remote_env: RemoteEnvSpec = field(default_factory=RemoteEnvSpec)
    """Environment variables of the job, and of commands with `with_env: true`."""
    setup: tuple[CommandSpec, ...] = ()
    """Commands to run on the pod before files are uploaded."""
    staging: tuple[RsyncPushSpec, ...] = ()
    """Files and folders to upload."""
    secrets: tuple[SecretSpec, ...] = ()
    """Secrets for the pod, as variables or as files. Their values only travel over the SSH connection."""
    preflight: tuple[CommandSpec, ...] = ()
    """Commands to run on the pod after files are uploaded, before the job."""
    run: RunSpec
    """The job."""
    artifacts: tuple[ArtifactPullSpec, ...] = ()
    """Files and folders to download."""
    lifecycle: LifecyclePolicySpec = field(default_factory=LifecyclePolicySpec)
    """The end of the pod: deleted, stopped or kept."""
    telemetry: TelemetrySpec = field(default_factory=TelemetrySpec)
    """Metrics and facts to record."""
    guard: GuardSpec = field(default_factory=GuardSpec)
    """The dead-man's switch on the pod."""
    on_end: NonBlank | None = None
    """Shell command that is run on this machine when a run has ended, once, for a minute at most. It never changes the
    run's exit code, and has RUN_DIR, RUN_ID, JOB_NAME, OUTCOME, EXIT_CODE, KIND and COST in its environment."""
    variables: dict[Identifier, str] = field(default_factory=dict)
    """Values for `{name}` in other fields. `--var NAME=VALUE` overrides them."""

    @property
    def resolved_state_file(self) -> Path | None:
        """The state file's path with `~` expanded; a relative one starts at the working directory."""
        return expanded(self.state_file).absolute() if self.state_file else None

    def contradictions(self) -> Iterator[Mistake]:
        """Labels and names of entries are unique, entries are few; a network volume is on the secure cloud only."""
        for section, key in (("staging", "label"), ("secrets", "name"), ("artifacts", "label")):
            yield from repeated(section, key, getattr(self, section))
            if len(getattr(self, section)) > MOST_ENTRIES:
                yield Mistake(section, f"has more than {MOST_ENTRIES} entries")
        if self.storage.mode == STORAGE_NETWORK_VOLUME and self.pod.cloud_type == "COMMUNITY":
            yield Mistake("pod.cloud_type", "must be SECURE: RunPod has no network volumes on COMMUNITY")


MOST_ENTRIES = 200
"""Entries of one kind: each is compared with each other one, and takes a round trip to the pod."""


def repeated(section: str, key: str, entries: Sequence[object]) -> Iterator[Mistake]:
    """A mistake for each entry that has the name of an earlier entry of its section."""
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        name = getattr(entry, key)
        if first.setdefault(name, i) != i:
            message = f"{name!r} is already used by {section}[{first[name]}]; each needs its own"
            yield Mistake(f"{section}[{i}].{key}", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One run as it was asked for: a rendered job, an id, and the flags of this one invocation."""

    run_id: str
    """Unique name of the run and of its pod."""
    config_path: Path
    """The YAML file, absolute."""
    project_root: Path
    """Absolute."""
    job: RunpodJobSpec
    """The job with every template rendered."""
    variables: dict[str, str] = field(default_factory=dict)
    """The user's variables, rendered; those of the command line override those of the file."""
    origins: dict[str, str] = field(default_factory=dict)
    """The origins of values: dotted path to `file:line`, `--flag` or `default`."""
    config_sha256: str = ""
    """Hash of the YAML text as read."""
    created_at: datetime
    """When the run was asked for, UTC."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The facts about the local project that `capture-env` prints, as far as they are switched on."""
    gpu_id: str | None = None
    """Together with datacenter_id: ask for exactly this GPU and skip selection."""
    datacenter_id: str | None = None
    """See gpu_id."""
    fallback_cloud_type: CloudType | None = None
    """A second cloud type to try when the first has no stock."""
    force_fresh: bool = False
    """Do not resume a recycled pod."""
    wait_for_stock_s: float | None = None
    """Seconds to keep looking for stock."""
    tags: dict[str, str] = field(default_factory=dict)
    """The tags that were given with `--tag`, by which runs are found and grouped."""
    note: str = ""
    """The text that was given with `--note`."""
    moved_from: Path | None = None
    """Where the project was when the run began, if the run is found in another place now. Never on disk."""
    token: str = ""
    """A random text that only this run has, which its pods bear. Drawn when the spec is recorded; runs of versions
    before 2026-11 have none.
    """
    any_machine: bool = False
    """Whether the id was given with `--run-id`, so that any machine may go on with the run."""
    journal: str | None = None
    """Where journal and manifest are copied to, given with `--journal`: a folder, or a URI that fsspec knows."""
