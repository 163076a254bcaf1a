"""The machine and its terms: pod, storage, reach, money, release. Knows names and rules; knows no cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from .rules import STRICT, Checked, Mistake
from .types import (
    AbsolutePath,
    CloudType,
    CudaVersion,
    EnvName,
    LifecycleAction,
    NonBlank,
    Port,
    PositiveFloat,
    PositiveInt,
    PythonVersion,
    Text,
)

STORAGE_EPHEMERAL = "ephemeral"
STORAGE_NETWORK_VOLUME = "network_volume"
SSH_PORT = "22/tcp"
# Ten years: a limit beyond it is none, and stays within what dates can hold.
LONGEST_S = 10 * 365 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpec(Checked):
    """What is used of the caller's machine."""

    __pydantic_config__: ClassVar = STRICT

    project_root: Text = "."
    """The folder that relative local paths start from; relative to the YAML file's folder, `~` expanded."""
    required_paths: tuple[Text, ...] = ()
    """Files and folders, relative to project_root, that must exist before anything is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec(Checked):
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
    ports: tuple[Port, ...] = ("22/tcp",)
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
    python_version: PythonVersion | None = None
    """Interpreter to pin on the pod before setup, such as `3.12` or `3.12.4`."""
    env: dict[EnvName, str] = field(default_factory=dict)
    """Environment of the container. The cloud echoes these values in clear: no secrets here."""
    selection: Literal["datacenter_first", "gpu_first", "cheapest"] = "datacenter_first"
    """How candidates are ranked: walk datacenters before GPUs, GPUs before datacenters, or by price."""
    registry_auth: Text | None = None
    """Id of a container registry credential stored at RunPod."""
    template_id: Text | None = None
    """Id of a RunPod template to start from; fields given here win over it."""
    start_command: NonBlank | None = None
    """Shell command that the container runs after the guard has started; it must start sshd."""
    min_cuda_version: CudaVersion | None = None
    """The least CUDA version of the host's driver, such as `12.8`; read from the image tag if not given."""
    cpu: Text | None = None
    """Id of a CPU flavor such as `cpu3c`, for a pod without GPU; leave gpu_order empty then."""

    def contradictions(self) -> Iterator[Mistake]:
        """A pod is of GPUs or of a CPU, is reached over SSH, and is never a spot pod."""
        if not self.gpu_order and self.cpu is None:
            yield Mistake("gpu_order", "must name at least one GPU")
        if self.gpu_order and self.cpu is not None:
            yield Mistake("cpu", "cannot go with gpu_order: a pod has GPUs or is a CPU pod")
        if SSH_PORT not in self.ports:
            yield Mistake("ports", f"must hold {SSH_PORT}: the pod is reached over SSH")
        if self.spot:
            yield Mistake("spot", "must be false: RunPod no longer sells spot pods; remove it")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSpec(Checked):
    """The volume of the pod."""

    __pydantic_config__: ClassVar = STRICT

    mode: Literal["network_volume", "ephemeral"]
    """`ephemeral`: a disk that lives and dies with the pod; `network_volume`: an existing volume by name."""
    volume_mount: AbsolutePath = "/workspace"
    """Where the volume is mounted in the pod; absolute."""
    volume_name: Text | None = None
    """Name of the network volume; required for network_volume."""
    volume_gb: PositiveInt | None = None
    """Size of the ephemeral volume in GB; required for ephemeral."""

    def contradictions(self) -> Iterator[Mistake]:
        """Each mode needs what it is made of."""
        if self.mode == STORAGE_NETWORK_VOLUME and self.volume_name is None:
            yield Mistake("volume_name", f"is required with mode {STORAGE_NETWORK_VOLUME}")
        if self.mode == STORAGE_EPHEMERAL and self.volume_gb is None:
            yield Mistake("volume_gb", f"is required with mode {STORAGE_EPHEMERAL}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSpec(Checked):
    """How the pod is reached."""

    __pydantic_config__: ClassVar = STRICT

    key_path: Text = "~/.ssh/id_ed25519"
    """Your own private key; its public half is let into the pod beside the key made for the run."""

    @property
    def resolved_key_path(self) -> Path:
        """The key's path with `~` expanded."""
        return Path(self.key_path).expanduser()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSpec(Checked):
    """Limits of money and time. All of the pod's life counts, from its creation on."""

    __pydantic_config__: ClassVar = STRICT

    cost_cap_usd: PositiveFloat = 10.0
    """The most that the pod may cost, in USD, at its real rate."""
    assumed_hourly_rate_usd: PositiveFloat = 1.65
    """Rate in USD per hour to plan with while the real one is unknown."""
    max_runtime_minutes: PositiveInt | None = None
    """The longest that the pod may exist."""
    poll_interval_sec: PositiveInt = 60
    """Kept for old files. It changes nothing: the job's log is followed as it grows, and nothing is polled for it."""
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
        return int(min(self.cost_cap_usd / self.assumed_hourly_rate_usd * 3600, LONGEST_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec(Checked):
    """The dead-man's switch on the pod."""

    __pydantic_config__: ClassVar = STRICT

    required: bool = True
    """Whether the run refuses to launch its job on a pod without a living guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecyclePolicySpec(Checked):
    """What becomes of the pod."""

    __pydantic_config__: ClassVar = STRICT

    on_success: LifecycleAction = "delete"
    """delete: gone, with its disks; stop: paused, disk kept and billed; preserve: left running;
    recycle: paused for the next run to resume."""
    on_failure: Literal["stop", "delete", "preserve"] = "stop"
    """The same after anything but success."""
