"""The contents of a pod's container: its files, its PID 1, its environment. Starts nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..records.catalogue import Catalogue
from ..records.images import Image as Known
from ..records.images import Images
from ..records.pod_rules import start_of_args
from ..records.pods import Pod
from ..records.view import gpu_uuid, memory_gb, vcpu_count
from .sandbox import PODROOT, Image

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PLACEHOLDER = re.compile(r"\{\{\s*RUNPOD_SECRET_([\w.\-/]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of all pods' disks, the API's address, the catalogue and the account's secrets."""

    root: Path
    api_url: str
    catalogue: Catalogue
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The account's secrets by id."""
    images: Images = field(default_factory=Images)

    def pod_dir(self, pod: Pod) -> Path:
        """The folder of one pod's disks."""
        return self.root / "pods" / pod.id

    def volume_dir(self, volume_id: str) -> Path:
        """The folder of one network volume."""
        return self.root / "volumes" / volume_id

    @property
    def api_address(self) -> tuple[str, int]:
        """The host and port in the address of the API."""
        host, _, port = self.api_url.rpartition("/")[2].partition(":")
        return host, int(port)

    def image(self, pod: Pod) -> Known:
        """What is known about the pod's image."""
        return self.images.find(str(pod.spec["image"]))


def argv_of(pod: Pod, known: Known) -> tuple[str, ...]:
    """The command of PID 1; a given entrypoint clears the image's command, as in container engines."""
    entrypoint, cmd = start_of_args(pod.spec["args"])
    entrypoint = pod.spec.get("entrypoint", entrypoint)
    cmd = pod.spec.get("cmd", cmd)
    given = [*(entrypoint or []), *(cmd or [])]
    return tuple(given) or known.argv


def env_of(pod: Pod, site: Site, port: int) -> dict[str, str]:
    """PID 1's environment: the spec's, and the platform's additions (seen on the live service in 2026)."""
    env = {"PATH": PATH, "HOME": "/root", "HOSTNAME": host_name(pod)}
    env |= {
        "RUNPOD_POD_ID": pod.id,
        "RUNPOD_API_KEY": pod.key,
        "RUNPOD_POD_HOSTNAME": host_name(pod),
        "RUNPOD_DC_ID": pod.place.datacenter or "",
        "RUNPOD_PUBLIC_IP": "127.0.0.1",
        "RUNPOD_CPU_COUNT": str(vcpu_count(pod)),
        "RUNPOD_MEM_GB": str(memory_gb(pod)),
        # The one thing that a real pod lacks: where the simulated API is.
        "RUNPOD_API_BASE_URL": site.api_url,
        "RUNPOD_REST_V2_URL": f"{site.api_url}/v2",
        "RUNPOD_GRAPHQL_URL": f"{site.api_url}/graphql",
    }
    if pod.is_gpu:
        env |= {"RUNPOD_GPU_COUNT": str(pod.units), "RUNPOD_GPU_NAME": pod.place.kind}
    if pod.cuda:
        env["CUDA_VERSION"] = pod.cuda
    for text in pod.spec["ports"]:
        number, _, kind = text.partition("/")
        if kind == "tcp":
            public = port if number == "22" else pod.public_ports.get(text, number)
            env[f"RUNPOD_TCP_PORT_{number}"] = str(public)
    if volume := pod.volume_id():
        env["RUNPOD_VOLUME_ID"] = volume
    # The platform's own names win over the spec's.
    wanted = {name: with_secrets(value, site.secrets.values()) for name, value in pod.spec["env"].items()}
    return wanted | env | ({"PATH": wanted["PATH"]} if "PATH" in wanted else {})


def with_secrets(text: str, secrets: Iterable[dict[str, Any]]) -> str:
    """The text with every placeholder of a known secret filled in; others stay."""
    values = {row["name"]: row["value"] for row in secrets}
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def image_of(pod: Pod, site: Site, port: int) -> Image:
    """The container that the sandbox is to make."""
    return Image(
        pod_dir=site.pod_dir(pod),
        host_name=host_name(pod),
        argv=argv_of(pod, site.image(pod)),
        env=env_of(pod, site, port),
        mounts=mounts_of(pod, site),
        reaches=site.api_address,
    )


def mounts_of(pod: Pod, site: Site) -> tuple[tuple[str, Path], ...]:
    """Path in the pod and folder on the machine, of the volumes that outlive the container."""
    mounts = pod.spec["mounts"]
    rows = [(mount["path"], site.volume_dir(mount["volumeId"])) for mount in mounts.get("network", [])]
    if "persistent" in mounts:
        rows.append((mounts["persistent"]["path"], site.pod_dir(pod) / "volume"))
    return tuple(rows)


def host_name(pod: Pod) -> str:
    """The pod's host name."""
    return f"{pod.id}-{pod.token}"


def prepare_disk(pod_dir: Path, pod: Pod, site: Site) -> None:
    """The container disk holds the files of the image, and a list of the programs that the image lacks."""
    known, is_new = site.image(pod), not (pod_dir / "upper").exists()
    ssh_dir = pod_dir / "disk/root/.ssh"
    ssh_dir.mkdir(parents=True, exist_ok=True)
    (pod_dir / "disk/run").mkdir(exist_ok=True)
    (pod_dir / "sbin").mkdir(exist_ok=True)
    if known.official:
        shutil.copy(PODROOT / "start.sh", pod_dir / "disk/start.sh")
    elif "sshd" in known.has and (key := pod.spec["env"].get("PUBLIC_KEY")):
        (ssh_dir / "authorized_keys").write_text(key + "\n")
    if "sshd" in known.has:
        shutil.copy(PODROOT / "sshd", pod_dir / "sbin/sshd")
    # Only a new disk is as the image: later, what the pod has installed stays.
    if known.lacks and is_new:
        (pod_dir / "lacks").write_text("\n".join(known.lacks_files) + "\n")
    if pod.is_gpu:
        shutil.copy(PODROOT / "nvidia-smi", pod_dir / "sbin/nvidia-smi")
        (pod_dir / "sbin/gpu.conf").write_text(_gpu_facts(pod, site.catalogue))


def set_clock(pod_dir: Path, off_s: float) -> None:
    """The pod's clock is this far ahead, or behind: for `date`, since a container has no clock of its own."""
    (pod_dir / "sbin/clock").write_text(f"{off_s:.0f}\n")
    shutil.copy(PODROOT / "date", pod_dir / "sbin/date")


def _gpu_facts(pod: Pod, catalogue: Catalogue) -> str:
    row = catalogue.gpus[pod.place.kind]
    consumer = "GeForce" in pod.place.kind
    facts = {
        "gpu_name": pod.place.kind,
        "gpu_count": pod.units,
        "gpu_uuid": gpu_uuid(pod),
        "gpu_memory_mib": row["memory"] * 1024,
        "gpu_power_w": 350 if row["memory"] < 80 else 700,
        "gpu_cuda": pod.cuda or "N/A",
        # Consumer cards have no error correction.
        "gpu_ecc_na": "[N/A]" if consumer else 0,
    }
    return "".join(f"{name}='{value}'\n" for name, value in facts.items())
