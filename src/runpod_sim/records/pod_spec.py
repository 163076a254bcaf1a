"""A pod's complete spec, from a create body: defaults, rules across fields. Knows no HTTP; places nothing."""

from __future__ import annotations

import secrets
from typing import Any

from .catalogue import COMMUNITY, Catalogue, host_share
from .pod_rules import check_container, check_paths
from .problems import bad

CUDA_FIELDS = ("allowedCudaVersions", "minCudaVersion")
DEFAULTS: dict[str, Any] = {
    "args": "",
    "env": {},
    "ports": [],
    "registry": None,
    "cloud": "SECURE",
    "dataCenterIds": [],
    "mounts": {},
    "globalNetworking": False,
    "locked": False,
    "startSsh": False,
    "startJupyter": False,
}
TEMPLATE_FIELDS = (
    "image",
    "entrypoint",
    "cmd",
    "args",
    "disk",
    "ports",
    "registry",
    "mounts",
    "startSsh",
    "startJupyter",
)


def complete(body: dict[str, Any], template: dict[str, Any] | None, account_keys: list[str]) -> dict[str, Any]:
    """The spec with template and defaults under it. Raises Problem where a rule is broken."""
    below = {name: template[name] for name in TEMPLATE_FIELDS if name in template} if template else {}
    spec = DEFAULTS | below | body
    spec["env"] = dict((template or {}).get("env", {})) | body.get("env", {})
    spec.pop("templateId", None)
    if template is not None:
        _take_compute(spec, body, template)
    if "disk" not in spec:
        # The published schema does not require it; the live service did (seen 2026-09-30).
        raise bad("disk is required")
    check_container(spec)
    _check_compute(spec)
    _check_mounts(spec)
    _inject(spec, account_keys)
    return spec


def _take_compute(spec: dict[str, Any], body: dict[str, Any], template: dict[str, Any]) -> None:
    """The template's CUDA versions apply to a GPU pod that names none; its volume does not apply to a CPU pod."""
    allowed = template.get("allowedCudaVersions")
    if "gpu" in body and allowed and not any(name in body["gpu"] for name in CUDA_FIELDS):
        spec["gpu"] = body["gpu"] | {"allowedCudaVersions": list(allowed)}
    if "cpu" in body and "mounts" not in body:
        spec["mounts"] = {}


def _check_compute(spec: dict[str, Any]) -> None:
    if ("gpu" in spec) == ("cpu" in spec):
        raise bad("exactly one of gpu or cpu must be set")
    if "gpu" in spec:
        spec["gpu"] = {"count": 1} | spec["gpu"]
        if spec["gpu"].get("allowedCudaVersions") and "minCudaVersion" in spec["gpu"]:
            raise bad("gpu.allowedCudaVersions and gpu.minCudaVersion are mutually exclusive")
    elif spec["cpu"]["vcpuCount"] & (spec["cpu"]["vcpuCount"] - 1):
        raise bad("cpu.vcpuCount must be a power of two")


def _check_mounts(spec: dict[str, Any]) -> None:
    mounts = spec["mounts"]
    if "persistent" in mounts and "network" in mounts:
        raise bad("mounts.persistent and mounts.network are mutually exclusive")
    if "persistent" in mounts and "cpu" in spec:
        raise bad("mounts.persistent is not supported on CPU pods")
    if mounts.get("network") and spec["cloud"] == COMMUNITY:
        raise bad("network volumes are not available on community cloud")
    check_paths(mounts)


def _inject(spec: dict[str, Any], account_keys: list[str]) -> None:
    if spec["startSsh"] and account_keys:
        spec["env"].setdefault("PUBLIC_KEY", "\n".join(account_keys))
    if spec["startJupyter"]:
        spec["env"].setdefault("JUPYTER_PASSWORD", secrets.token_urlsafe(15))


def check_kind(spec: dict[str, Any], catalogue: Catalogue) -> None:
    """Raises Problem unless the catalogue has the GPU or CPU and the datacenters of the spec."""
    if "gpu" in spec and spec["gpu"]["id"] not in catalogue.gpus:
        raise bad(f'GPU type "{spec["gpu"]["id"]}" does not exist')
    if "cpu" in spec:
        row = catalogue.cpus.get(spec["cpu"]["id"])
        if row is None:
            raise bad(f'CPU flavor "{spec["cpu"]["id"]}" does not exist')
        if spec["cpu"]["vcpuCount"] > row["vcpu"]["max"]:
            raise bad(f"cpu.vcpuCount must be at most {row['vcpu']['max']} for {row['id']}")
    allot(spec, catalogue)
    for name in spec["dataCenterIds"]:
        if name not in catalogue.datacenters:
            raise bad(f'data center "{name}" does not exist; known: {", ".join(catalogue.datacenters)}')


def allot(spec: dict[str, Any], catalogue: Catalogue) -> None:
    """The spec names the vCPUs and the memory that the pod gets."""
    if "cpu" in spec:
        spec["cpu"]["memory"] = int(catalogue.cpus[spec["cpu"]["id"]]["ramGbPerVcpu"] * spec["cpu"]["vcpuCount"])
        return
    vcpus, ram_gb = host_share(catalogue.gpus[spec["gpu"]["id"]])
    count = spec["gpu"]["count"]
    spec["gpu"] |= {"vcpuCount": vcpus * count, "memory": ram_gb * count}
