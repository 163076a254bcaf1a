"""A project on disk with a config in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from runpod_deploy.config import Draft, load

Project = Callable[..., Draft]

PLAIN: dict[str, Any] = {
    "name": "job",
    "pod": {"image": "ubuntu:24.04", "datacenters": ["EU-RO-1"], "gpu_order": ["NVIDIA A40"]},
    "storage": {"mode": "ephemeral", "volume_gb": 10},
    "run": {"script_path": "/workspace/r.sh", "log_path": "/workspace/r.log", "body": "echo"},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Writes files and a config with these sections, and loads it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = tmp_path / "project"

    def project(files: dict[str, str] | None = None, **sections: Any) -> Draft:
        for name, text in (files or {}).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root.mkdir(exist_ok=True)
        (root / "job.yaml").write_text(yaml.safe_dump({**PLAIN, **sections}))
        return load(root / "job.yaml")

    return project
