"""A valid config to start from, and a way to write one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def plain() -> dict[str, Any]:
    """A small valid job."""
    return {
        "schema_version": 2,
        "name": "tune",
        "pod": {"image": "ghcr.io/x/y:1", "datacenters": ["EU-SE-1"], "gpu_order": ["NVIDIA L40S"]},
        "storage": {"mode": "ephemeral", "volume_gb": 40},
        "run": {"script_path": "/workspace/run.sh", "log_path": "/workspace/run.log", "body": "echo hello\n"},
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config, text or values, and returns its path."""

    def write(content: Any, name: str = "project/job.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        path.write_text(text, encoding="utf-8")
        return path

    return write
