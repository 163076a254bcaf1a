"""A copy of the user's project for each case, and the files that a run left in it. Knows files and YAML."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from ..records.images import PROGRAMS, Images
from .cases import AS_GIVEN, MISBEHAVING, RECYCLED

START_LINE = "runpod-sim chaos: the job was started"
# PID 1's output is the container's log, which outlives the pod.
COUNT_START = f"echo '{START_LINE}' >/proc/1/fd/1\n"
NOT_COPIED = shutil.ignore_patterns("artifacts", ".git", ".venv", "__pycache__", "node_modules")
OWN_IMAGE = "chaos/own-image:1"
"""An image that nobody knows but the simulator: it has what RunPod's have, and starts its own SSH server."""
PULL_GRACE_S = 2
SHORT_TIMEOUTS = {"pull_grace_sec": PULL_GRACE_S, "ssh_lost_timeout_sec": 30}
# Snapshots of the machine differ from run to run, so that no two runs could be compared.
NO_SNAPSHOTS = dict.fromkeys(
    ("capture_dmesg", "capture_nvidia_smi", "capture_pod_describe", "capture_remote_env"), False
)
DEFAULT_CAP_USD = 5.0
# It runs before the job's own lines, and each of its deeds has cost somebody a job or a pod.
MISDEEDS = """sleep 300 &
pkill -f chaos; pkill -9 -f guard.sh; rm -rf /workspace/.[!.]*
echo before; sleep 0.5; : >"${0%.sh}.log"
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder and the config in it."""

    folder: Path
    config: Path
    """Relative to the folder."""
    cap_usd: float
    """The cap in the config."""
    name: str = ""
    """The name of the job, with which the names of its pods begin."""

    @contextmanager
    def copied(self, variant: str = AS_GIVEN) -> Iterator[Path]:
        """A copy with this variant of the config, which also counts the starts of its job and has short timeouts."""
        with TemporaryDirectory(prefix="runpod-sim-chaos-") as place:
            copy = Path(place) / "project"
            shutil.copytree(self.folder, copy, ignore=NOT_COPIED, symlinks=True)
            document = with_variant(read(copy / self.config), variant)
            document["telemetry"] = {**(document.get("telemetry") or {}), **NO_SNAPSHOTS}
            document["budget"] = {**(document.get("budget") or {}), **SHORT_TIMEOUTS}
            if isinstance(document.get("run"), dict) and "body" in document["run"]:
                deeds = MISDEEDS if variant == MISBEHAVING else ""
                document["run"]["body"] = COUNT_START + deeds + str(document["run"]["body"])
            (copy / self.config).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
            (Path(place) / "home").mkdir()
            yield copy


def project(config: Path, folder: Path | None) -> Project:
    """The project of a config. Raises ValueError if the folder does not hold the config."""
    root = (folder or config.parent).resolve()
    cap = (read(config).get("budget") or {}).get("cost_cap_usd", DEFAULT_CAP_USD)
    return Project(root, config.resolve().relative_to(root), float(cap), str(read(config).get("name", "")))


def with_variant(document: dict[str, Any], variant: str) -> dict[str, Any]:
    """This variant of the config."""
    if variant == "network volume":
        return document | {"storage": {"mode": "network_volume", "volume_name": "chaos"}}
    if variant == "unknown image":
        return document | {"pod": document["pod"] | {"image": OWN_IMAGE}}
    if variant == RECYCLED:
        return document | {"lifecycle": document["lifecycle"] | {"on_success": "recycle"}}
    return document


def volume_of(config: Path) -> tuple[str, list[str]] | None:
    """The network volume that the config names, and the datacenters that it allows; None without one."""
    document = read(config)
    name = (document.get("storage") or {}).get("volume_name")
    return (str(name), list((document.get("pod") or {}).get("datacenters") or [])) if name else None


def with_own_image(images: Images) -> Images:
    """These images, and the one of the variant "unknown image"."""
    return Images({OWN_IMAGE: frozenset(PROGRAMS), **images.said})


def read(config: Path) -> dict[str, Any]:
    """The config as YAML gives it. Raises ValueError."""
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{config}: not a mapping")
    return document


def files_of(copy: Path, run_dir: Path | None) -> dict[str, str]:
    """The SHA-256 of each file below the folder, by its path; the run's own folder is called RUN_DIR."""
    name = run_dir.name if run_dir else "RUN_DIR"
    paths = (path for path in sorted(copy.rglob("*")) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(copy)).replace(name, "RUN_DIR"): digest(path) for path in paths}


def digest(path: Path) -> str:
    """The SHA-256 of the file; empty if it has just been deleted."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
