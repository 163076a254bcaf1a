"""The machine and its terms: pod, storage, SSH, budget, lifecycle. Knows names and rules; knows no cloud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from .places import expanded
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
SSH_PORT_ENTRY = "22/tcp"
USER_KEY_PATH = "~/.ssh/id_ed25519"
# Ten years. A longer limit is no limit, and would go beyond what dates can hold.
LONGEST_S = 10 * 365 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpec(Checked):
    """The project on the caller's machine."""

    __pydantic_config__: ClassVar = STRICT

    project_root: Text = "."
    """Folder that relative local paths start from. Relative to the YAML file's folder; `~` is expanded."""
    required_paths: tuple[Text, ...] = ()
    """Files and folders, relative to `project_root`, that must exist. Checked before any money is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec(Checked):
    """The pod to rent."""

    __pydantic_config__: ClassVar = STRICT

    image: Text
    """Container image to run."""
    datacenters: Annotated[tuple[Text, ...], MinLen(1)]
    """Datacenter ids in order of preference. They are tried in turn until one has room for the pod."""
    gpu_order: tuple[Text, ...] = ()
    """GPUs in order of preference: ids such as `NVIDIA L40S`, or names such as `H100`, `A100-80GB`, `4090` and `24GB+`,
    which mean every card that they fit, the cheapest first. Required, unless `cpu` asks for a CPU pod."""
    cloud_type: CloudType = "SECURE"
    """RunPod's cloud to rent from."""
    ports: tuple[Port, ...] = ("22/tcp",)
    """Ports to open, each `<port>/tcp` or `<port>/http`. `22/tcp` must be among them."""
    container_disk_gb: PositiveInt = 20
    """Size of the container disk in GB. Its content is lost when the pod stops."""
    gpu_count: PositiveInt = 1
    """Number of GPUs in the pod."""
    spot: bool = False
    """Kept for old files. RunPod no longer sells spot pods: `true` is an error."""
    min_vcpu_count: PositiveInt | None = None
    """Minimum number of vCPUs of the whole pod."""
    min_memory_gb: PositiveInt | None = None
    """Minimum memory of the whole pod in GB."""
    python_version: PythonVersion | None = None
    """Python version to install on the pod before setup, such as `3.12` or `3.12.4`."""
    env: dict[EnvName, str] = field(default_factory=dict)
    """Environment variables of the container. RunPod shows these values in plain text: put no secrets here."""
    selection: Literal["datacenter_first", "gpu_first", "cheapest"] = "datacenter_first"
    """Order in which candidates are tried. `datacenter_first`: every GPU of the first datacenter, then the next
    datacenter. `gpu_first`: the first GPU in every datacenter, then the next GPU. `cheapest`: by price."""
    registry_auth: Text | None = None
    """Id of a container registry credential stored at RunPod."""
    template_id: Text | None = None
    """Id of a RunPod template to start from. Fields given here override the template's."""
    start_command: NonBlank | None = None
    """Shell command that the container runs after the guard has started. It must start sshd."""
    min_cuda_version: CudaVersion | None = None
    """Minimum CUDA version of the host's driver, such as `12.8`. If not given, it is read from the image tag."""
    cpu: Text | None = None
    """Id of a CPU flavor such as `cpu3c`, for a pod without GPUs. Leave `gpu_order` empty then."""

    def contradictions(self) -> Iterator[Mistake]:
        """A pod has GPUs or is a CPU pod, is reached over SSH, and is never a spot pod."""
        if not self.gpu_order and self.cpu is None:
            yield Mistake("gpu_order", "must name at least one GPU")
        if self.gpu_order and self.cpu is not None:
            yield Mistake("cpu", "cannot be combined with gpu_order: a pod has GPUs or is a CPU pod")
        if SSH_PORT_ENTRY not in self.ports:
            yield Mistake("ports", f"must contain {SSH_PORT_ENTRY}: the pod is reached over SSH")
        if self.spot:
            yield Mistake("spot", "must be false: RunPod no longer sells spot pods; remove it")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSpec(Checked):
    """The volume of the pod."""

    __pydantic_config__: ClassVar = STRICT

    mode: Literal["network_volume", "ephemeral"]
    """`ephemeral`: a disk that is created and deleted with the pod. `network_volume`: an existing network volume."""
    volume_mount: AbsolutePath = "/workspace"
    """Absolute path where the volume is mounted in the pod."""
    volume_name: Text | None = None
    """Name of the network volume. Required with mode `network_volume`."""
    volume_gb: PositiveInt | None = None
    """Size of the ephemeral volume in GB. Required with mode `ephemeral`."""

    def contradictions(self) -> Iterator[Mistake]:
        """A network volume has a name; an ephemeral volume has a size."""
        if self.mode == STORAGE_NETWORK_VOLUME and self.volume_name is None:
            yield Mistake("volume_name", f"is required with mode {STORAGE_NETWORK_VOLUME}")
        if self.mode == STORAGE_EPHEMERAL and self.volume_gb is None:
            yield Mistake("volume_gb", f"is required with mode {STORAGE_EPHEMERAL}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSpec(Checked):
    """SSH access to the pod."""

    __pydantic_config__: ClassVar = STRICT

    key_path: Text = USER_KEY_PATH
    """Your private key. The pod accepts its public key as well as the key that is made for the run. The private key
    itself is only used for the run's own connections if this field names another key than the default."""

    @property
    def resolved_key_path(self) -> Path:
        """The key's path with `~` expanded."""
        return expanded(self.key_path)

    @property
    def login_key_path(self) -> Path | None:
        """The private key of the user that ssh may use beside the run's own; None if the config names none."""
        return None if self.key_path == USER_KEY_PATH else self.resolved_key_path


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSpec(Checked):
    """Limits of money and time. They count from the pod's creation: boot, setup and transfers are included."""

    __pydantic_config__: ClassVar = STRICT

    cost_cap_usd: PositiveFloat = 10.0
    """Maximum cost of the pod in USD, at its real hourly rate. When it is reached, the job is stopped."""
    assumed_hourly_rate_usd: PositiveFloat = 1.65
    """Hourly rate in USD to plan with until the pod's real rate is known."""
    max_runtime_minutes: PositiveInt | None = None
    """Maximum lifetime of the pod in minutes. If not given, only the cost cap limits it."""
    poll_interval_sec: PositiveInt = 60
    """Kept for old files. It has no effect: the job's log is followed as it grows, without polling."""
    ssh_ready_timeout_sec: PositiveInt = 900
    """Seconds that a new pod may take until it answers over SSH. Then it is deleted, and the next candidate is tried
    once."""
    max_gpu_price: PositiveFloat | None = None
    """Maximum price in USD per GPU and hour. A GPU whose price is unknown is not rented."""
    ssh_lost_timeout_sec: PositiveInt = 900
    """Seconds to keep reconnecting to a pod that RunPod reports as running."""
    pull_grace_sec: PositiveInt = 300
    """Seconds for downloading artifacts after a limit has stopped the job."""

    @property
    def timeout_sec(self) -> int:
        """The time limit in seconds: max_runtime_minutes, or the time that the cap pays for at the assumed rate."""
        if self.max_runtime_minutes is not None:
            return self.max_runtime_minutes * 60
        return int(min(self.cost_cap_usd / self.assumed_hourly_rate_usd * 3600, LONGEST_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec(Checked):
    """The dead-man's switch on the pod."""

    __pydantic_config__: ClassVar = STRICT

    required: bool = True
    """Whether the job is only launched once the guard is running on the pod."""
    idle_minutes: PositiveInt = 10
    """Minutes that the pod waits after the job's end for a process that downloads the results. Then the guard ends the
    pod as `lifecycle.on_failure` says. With `delete`, it waits for `budget.ssh_lost_timeout_sec` at least. It matters
    only if no process carries the run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecyclePolicySpec(Checked):
    """The end of the pod: deleted, stopped or kept."""

    __pydantic_config__: ClassVar = STRICT

    on_success: LifecycleAction = "delete"
    """After success. `delete`: the pod and its disks are deleted. `stop`: the pod is stopped; its disk is kept and
    billed. `preserve`: the pod is left running and billed. `recycle`: stopped, and resumed by the next run."""
    on_failure: Literal["stop", "delete", "preserve"] = "stop"
    """After any other end: `stop`, `delete` or `preserve`, with the same meaning."""
