"""What was asked: schema version 2 as frozen values. Knows names, types and rules; knows no file and no cloud.

The classes are plain dataclasses so that a run in flight carries no validation library; `config` derives
validation, JSON Schema and the reference page from these same classes, their annotations and their docstrings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, MinLen

LifecycleAction = Literal["preserve", "stop", "delete", "recycle"]
LIFECYCLE_ACTIONS: tuple[LifecycleAction, ...] = ("preserve", "stop", "delete", "recycle")
SCHEMA_VERSION = 2
STORAGE_EPHEMERAL = "ephemeral"
STORAGE_NETWORK_VOLUME = "network_volume"
DEFAULT_STAGING_EXCLUDES = (
    ".git/",
    ".venv/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".mypy_cache/",
    "**/__pycache__/",
    "**/*.pyc",
)
DEFAULT_FAILURE_MARKERS = (
    "Traceback",
    "OutOfMemoryError",
    "CUDA out of memory",
    "No space left on device",
    "Killed",
)

Text = Annotated[str, MinLen(1)]
PositiveInt = Annotated[int, Gt(0)]
PositiveFloat = Annotated[float, Gt(0)]
CloudType = Literal["SECURE", "COMMUNITY"]

STRICT: dict[str, Any] = {"extra": "forbid", "strict": True, "use_attribute_docstrings": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpec:
    """What is used of the caller's machine."""

    __pydantic_config__: ClassVar = STRICT

    project_root: str = "."
    """The folder that relative local paths start from; relative to the YAML file's folder, `~` expanded."""
    required_paths: tuple[str, ...] = ()
    """Files and folders, relative to project_root, that must exist before anything is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec:
    """The machine to rent."""

    __pydantic_config__: ClassVar = STRICT

    image: Text
    """The container image to run."""
    datacenters: Annotated[tuple[Text, ...], MinLen(1)]
    """Datacenter ids in order of preference; each is tried until one places the pod."""
    gpu_order: tuple[Text, ...] = ()
    """GPU type ids in order of preference. Required, unless `cpu` asks for a CPU pod."""
    cloud_type: CloudType = "SECURE"
    """SECURE or COMMUNITY."""
    ports: tuple[str, ...] = ("22/tcp",)
    """Ports to open, each `<port>/tcp` or `<port>/http`. The tool itself needs 22/tcp."""
    container_disk_gb: PositiveInt = 20
    """Size of the container's disk in GB; wiped whenever the pod stops."""
    gpu_count: PositiveInt = 1
    """GPUs in the pod."""
    spot: bool = False
    """Kept for old files. RunPod no longer sells spot pods: true is an error."""
    min_vcpu_count: PositiveInt | None = None
    """The least number of vCPUs of the whole pod."""
    min_memory_gb: PositiveInt | None = None
    """The least memory of the whole pod in GB."""
    python_version: str | None = None
    """Interpreter to pin on the pod before setup, such as `3.12` or `3.12.4`."""
    env: dict[str, str] = field(default_factory=dict)
    """Environment of the container. The cloud echoes these values in clear: no secrets here."""
    selection: Literal["datacenter_first", "gpu_first", "cheapest"] = "datacenter_first"
    """How candidates are ranked: walk datacenters before GPUs, GPUs before datacenters, or by price."""
    registry_auth: str | None = None
    """Id of a container registry credential stored at RunPod."""
    template_id: str | None = None
    """Id of a RunPod template to start from; fields given here win over it."""
    start_command: str | None = None
    """Shell command that the container runs after the guard has started; it must start sshd."""
    min_cuda_version: str | None = None
    """The least CUDA version of the host's driver, such as `12.8`; read from the image tag if not given."""
    cpu: str | None = None
    """Id of a CPU flavor such as `cpu3c`, for a pod without GPU; leave gpu_order empty then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSpec:
    """The volume of the pod."""

    __pydantic_config__: ClassVar = STRICT

    mode: Literal["network_volume", "ephemeral"]
    """`ephemeral`: a disk that lives and dies with the pod; `network_volume`: an existing volume by name."""
    volume_mount: str = "/workspace"
    """Where the volume is mounted in the pod; absolute."""
    volume_name: str | None = None
    """Name of the network volume; required for network_volume."""
    volume_gb: PositiveInt | None = None
    """Size of the ephemeral volume in GB; required for ephemeral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSpec:
    """How the pod is reached."""

    __pydantic_config__: ClassVar = STRICT

    key_path: str = "~/.ssh/id_ed25519"
    """Your own private key; its public half is let into the pod beside the key made for the run."""

    @property
    def resolved_key_path(self) -> Path:
        """The key's path with `~` expanded."""
        return Path(self.key_path).expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSpec:
    """Limits of money and time. All of the pod's life counts, from its creation on."""

    __pydantic_config__: ClassVar = STRICT

    cost_cap_usd: PositiveFloat = 10.0
    """The most that the pod may cost, in USD, at its real rate."""
    assumed_hourly_rate_usd: PositiveFloat = 1.65
    """Rate in USD per hour to plan with while the real one is unknown."""
    max_runtime_minutes: PositiveInt | None = None
    """The longest that the pod may exist."""
    poll_interval_sec: PositiveInt = 60
    """How often the API is asked about the pod while all is well."""
    ssh_ready_timeout_sec: PositiveInt = 900
    """How long a pod may take from its creation to answering over SSH."""
    max_gpu_price: PositiveFloat | None = None
    """The dearest GPU to accept, in USD per GPU and hour; an unknown price is refused."""
    ssh_lost_timeout_sec: PositiveInt = 900
    """How long to keep trying to reach a pod that the API calls running."""
    pull_grace_sec: PositiveInt = 300
    """How long artifacts may be pulled after a limit was reached."""

    @property
    def timeout_sec(self) -> int:
        """The time limit in seconds: max_runtime_minutes, or what the cap buys at the assumed rate."""
        if self.max_runtime_minutes is not None:
            return self.max_runtime_minutes * 60
        return int(self.cost_cap_usd / self.assumed_hourly_rate_usd * 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEnvSpec:
    """Environment of commands with `with_env` and of the job."""

    __pydantic_config__: ClassVar = STRICT

    source_files: tuple[str, ...] = ()
    """Files on the pod to source, each only if it exists; what they set is exported."""
    exports: dict[str, str] = field(default_factory=dict)
    """Variables to export, after the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """One shell command on the pod."""

    __pydantic_config__: ClassVar = STRICT

    command: Text
    """Shell text to run."""
    timeout_sec: PositiveInt = 600
    """How long it may take."""
    with_env: bool = False
    """Whether remote_env applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RsyncPushSpec:
    """One local folder or file to put on the pod."""

    __pydantic_config__: ClassVar = STRICT

    label: Text
    """Name in messages and records; unique."""
    source: Text
    """Local folder or file; relative to project_root. With a trailing slash its contents are meant."""
    destination: Text
    """Path on the pod; parents are made."""
    excludes: tuple[str, ...] = ()
    """rsync patterns to leave out."""
    excludes_default: bool = False
    """Also leave out the usual caches and version control folders."""
    excludes_extra: tuple[str, ...] = ()
    """More rsync patterns to leave out."""
    delete: bool = True
    """Remove what is on the pod and not here."""
    respect_gitignore: bool = False
    """Leave out what git ignores."""

    @property
    def effective_excludes(self) -> tuple[str, ...]:
        """The patterns in force: preset (if on), then excludes, then excludes_extra."""
        preset = DEFAULT_STAGING_EXCLUDES if self.excludes_default else ()
        return (*preset, *self.excludes, *self.excludes_extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """A file on the pod made of local secrets. Exactly one of `env` and `file`."""

    __pydantic_config__: ClassVar = STRICT

    name: Text
    """Name in messages; unique."""
    destination: str
    """Absolute path on the pod."""
    env: tuple[str, ...] = ()
    """Local environment variables to write as `NAME='value'` lines."""
    file: str | None = None
    """Local file to copy."""
    mode: str = "0600"
    """File mode on the pod, a string of octal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """The job."""

    __pydantic_config__: ClassVar = STRICT

    script_path: str
    """Absolute path on the pod where the body is written."""
    log_path: str
    """Absolute path on the pod of the job's log."""
    body: Text
    """Shell text of the job, run by bash."""
    success_marker: Text | None = None
    """Text that must appear in a line of the log, beside exit status 0, for the job to have succeeded."""
    failure_markers: tuple[str, ...] | None = None
    """Texts that end the job as failed at once. If not given, the usual ones are only noted as events."""
    stall_timeout_minutes: PositiveInt | None = None
    """Stop the job when its log has been silent for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactPullSpec:
    """One file or folder on the pod to bring home."""

    __pydantic_config__: ClassVar = STRICT

    label: Text
    """Name in messages and records; unique."""
    remote_path: Text
    """File or folder on the pod. With a trailing slash its contents are meant."""
    local_path: Text
    """Where to put it; relative to project_root."""
    required: bool = True
    """Whether the run fails without it."""
    excludes: tuple[str, ...] = ()
    """rsync patterns to leave out."""
    delete: bool = False
    """Remove what is here and not on the pod, inside this artifact's own folder only."""
    every_sec: PositiveInt | None = None
    """Also pull it during the run, as often as this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecyclePolicySpec:
    """What becomes of the pod."""

    __pydantic_config__: ClassVar = STRICT

    on_success: LifecycleAction = "delete"
    """delete: gone, with its disks; stop: paused, disk kept and billed; preserve: left running;
    recycle: paused for the next run to resume."""
    on_failure: Literal["stop", "delete", "preserve"] = "stop"
    """The same after anything but success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySpec:
    """What is measured and recorded."""

    __pydantic_config__: ClassVar = STRICT

    enabled: bool = True
    """Whether metrics and snapshots are taken at all."""
    sample_interval_sec: Annotated[int, Ge(5)] = 30
    """Time between two samples."""
    capture_nvidia_smi: bool = True
    """Keep nvidia-smi's output from start and end."""
    capture_dmesg: bool = True
    """Keep the last lines of the kernel's log."""
    capture_pod_describe: bool = True
    """Keep the API's description of the pod from start and end."""
    capture_remote_env: bool = True
    """Keep the pod's kernel, Python version and installed packages."""
    capture_local_git: bool = True
    """Record commit, branch and dirty flag of project_root."""
    capture_payload_lockfile: bool = True
    """Record name and hash of project_root's lockfile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec:
    """The dead-man's switch on the pod."""

    __pydantic_config__: ClassVar = STRICT

    required: bool = True
    """Whether the run refuses to launch its job on a pod without a living guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunpodJobSpec:
    """One job: one YAML file of schema version 2."""

    __pydantic_config__: ClassVar = STRICT

    schema_version: Literal[2] = 2
    """Always 2."""
    name: Text
    """The job's name."""
    run_id_prefix: str = ""
    """What run ids and pod names start with; the name if empty."""
    state_file: str | None = None
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
    variables: dict[str, str] = field(default_factory=dict)
    """Values for `{name}` in other fields; `--var` replaces them."""


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
