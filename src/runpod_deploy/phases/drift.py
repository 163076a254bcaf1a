"""A paused pod compared with the config of the run that would recycle it. Knows what is asked; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..cloud.choosing import narrowed
from ..cloud.gpu_order import known_order
from ..cloud.pod_labels import is_own_variable
from ..cloud.values import MIN_VOLUME_GB, Pod
from ..machine.limits import RECORD_BYTES
from ..machine.reading import read_limited
from ..record.paths import SPEC_NAME
from ..run import Run
from ..spec import STORAGE_EPHEMERAL, PodSpec, StorageSpec
from ..spec.json import spec_from_json

SSH_PORT = "22/tcp"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the config asks for now, with the flags of the run and the place of its network volume."""

    pod: PodSpec
    storage: StorageSpec
    network_volume_id: str | None = None


def wanted_now(run: Run) -> Wanted:
    """What the run asks for. Asks the cloud for a network volume. Raises ConfigError, CloudUnreachable."""
    pod, volume_id = narrowed(run.spec, run.world.cloud)
    return Wanted(pod, run.spec.job.storage, volume_id)


def drift(wanted: Wanted, pod: Pod, before: PodSpec | None) -> list[str]:
    """What differs, as far as the API tells and the spec of the run before; empty if the pod may be used again."""
    found = [*other_machine(wanted, pod), *other_disks(wanted, pod), *other_container(wanted, pod)]
    return [*found, *other_start(wanted.pod, before)]


def spec_of(run_dir: Path | None) -> PodSpec | None:
    """What the run in this folder asked for; None if its spec cannot be read."""
    try:
        text = read_limited(run_dir / SPEC_NAME, RECORD_BYTES).decode() if run_dir else ""
        return spec_from_json(text).job.pod
    except (OSError, ValueError):
        return None


def other_start(ask: PodSpec, before: PodSpec | None) -> Iterator[str]:
    """Another template or start command, which a pod does not show."""
    if before is not None:
        yield from unless("template_id", before.template_id or "none", ask.template_id or "none")
        if before.start_command != ask.start_command:
            yield "another start_command"


def other_machine(wanted: Wanted, pod: Pod) -> Iterator[str]:
    """Another GPU, number of GPUs, cloud or datacenter."""
    ask = wanted.pod
    yield from unless("GPU", pod.gpu_id, *known_order(ask, pod.gpu_id or "").ids)
    yield from unless("GPU count", pod.gpu_count, ask.gpu_count)
    yield from unless("cloud", pod.cloud_type, ask.cloud_type)
    yield from unless("datacenter", pod.datacenter_id, *ask.datacenters)


def other_disks(wanted: Wanted, pod: Pod) -> Iterator[str]:
    """Another size or place of a disk, or another network volume."""
    ask, storage = wanted.pod, wanted.storage
    own = storage.mode == STORAGE_EPHEMERAL
    volume_gb = max(MIN_VOLUME_GB, storage.volume_gb) if own and storage.volume_gb else None
    if ask.cpu:  # a CPU pod has one disk for both
        yield from unless("container disk", pod.container_disk_gb, ask.container_disk_gb + (storage.volume_gb or 0))
    else:
        yield from unless("container disk", pod.container_disk_gb, ask.container_disk_gb)
        yield from unless("volume", pod.volume_gb, volume_gb)
        yield from unless("mount", pod.volume_mount, storage.volume_mount)
    if wanted.network_volume_id:
        yield from unless("network volume", pod.network_volume_id, wanted.network_volume_id)


def other_container(wanted: Wanted, pod: Pod) -> Iterator[str]:
    """Another image, registry, set of ports, or environment. Values of variables are not named: they may be secret."""
    ask = wanted.pod
    yield from unless("image", pod.image, ask.image)
    if pod.registry != ask.registry_auth and (pod.registry or pod.ports is not None):
        yield f"registry_auth {pod.registry or 'none'} instead of {ask.registry_auth or 'none'}"
    if pod.ports is not None and {*pod.ports} != {*ask.ports, SSH_PORT}:
        yield f"ports {', '.join(pod.ports)} instead of {', '.join(ask.ports)}"
    if pod.env and (names := changed_variables(ask, pod)):
        yield f"env {', '.join(names)}"


def changed_variables(ask: PodSpec, pod: Pod) -> list[str]:
    """The variables of pod.env with another value, and those that are not in the config any more.

    A template may have added variables of its own.
    """
    theirs = {name: value for name, value in pod.env.items() if not is_own_variable(name)}
    gone = set() if ask.template_id else theirs.keys() - ask.env.keys()
    return sorted(gone | {name for name, value in ask.env.items() if theirs.get(name) != value})


def unless(what: str, have: object, *wanted: object) -> Iterator[str]:
    """A difference, unless the pod has one of what is wanted, or the API does not tell."""
    if have is not None and have not in wanted:
        yield f"{what} {have} instead of {' or '.join(str(one or 'none') for one in wanted)}"
