"""Templates: what a new one has by default, and the public ones. Knows records only."""

from __future__ import annotations

from typing import Any

Template = dict[str, Any]
DEFAULTS: Template = {
    "args": "",
    "disk": 20,
    "env": {},
    "ports": [],
    "registry": None,
    "mounts": {},
    "serverless": False,
    "public": False,
    "category": "NVIDIA",
    "startSsh": True,
    "startJupyter": True,
    "allowedCudaVersions": [],
}


def _official(template_id: str, name: str, image: str, **more: Any) -> Template:
    shown = {"ports": ["8888/http", "22/tcp"], "mounts": {"persistent": {"size": 20, "path": "/workspace"}}}
    return DEFAULTS | shown | {"public": True, "id": template_id, "name": name, "image": image} | more


PUBLIC = {
    row["id"]: row
    for row in (
        _official("runpod-torch-v280", "Runpod Pytorch 2.8.0", "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"),
        _official("runpod-torch-v21", "Runpod Pytorch 2.1", "runpod/pytorch:2.1.0-py3.10-cuda11.8.0-devel-ubuntu22.04"),
        _official("runpod-ubuntu", "Runpod Ubuntu", "runpod/base:1.0.2-ubuntu2204", category="CPU", mounts={}),
    )
}
