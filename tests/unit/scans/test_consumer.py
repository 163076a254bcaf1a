"""The Python project around a config."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.scans.consumer import scan_project

from .conftest import Project


def pyproject(dependencies: str = "", extras: str = "", sources: str = "") -> dict[str, str]:
    text = f"[project]\nname='x'\ndependencies=[{dependencies}]\n"
    text += f"[project.optional-dependencies]\n{extras}\n[tool.uv.sources]\n{sources}\n"
    return {"pyproject.toml": text}


SYNC = [{"command": "cd /w && uv sync --frozen --extra GPU_stuff"}]
ON_PATH = {"mode": "ephemeral", "volume_gb": 10, "volume_mount": "/data"}


@pytest.mark.parametrize(
    ("files", "setup", "words"),
    [
        (pyproject('"runpod-deploy>=1"'), [], "runpod-deploy would be installed on the pod"),
        (pyproject("\"Runpod_Deploy[sim] ; python_version>'3'\""), [], "runpod-deploy would be installed"),
        (pyproject(sources="runpod-deploy = {path = '../x'}"), [], "runpod-deploy would be installed"),
        (pyproject(extras='gpu-stuff = ["runpod-deploy"]'), SYNC, "runpod-deploy would be installed"),
        (pyproject(extras='other = ["runpod-deploy"]'), SYNC, ""),
        (pyproject(extras='other = ["runpod-deploy"]'), [{"command": "uv sync --all-extras"}], "runpod-deploy would"),
        (pyproject('"torch==2.8"'), [], "torch has no index"),
        (pyproject('"torch==2.8"', sources="torch = {index = 'cu128'}"), [], ""),
        (pyproject('"torchvision", "numpy"'), [], ""),
        ({"pyproject.toml": "not toml ["}, [], ""),
        ({"pyproject.toml": "project = 5"}, [], ""),
        ({}, [], ""),
    ],
)
def test_dependencies(project: Project, files: dict[str, str], setup: list[Any], words: str) -> None:
    findings = [f.message for f in scan_project(project(files, setup=setup, storage=ON_PATH))]
    assert len(findings) == bool(words)
    assert all(message.startswith(words) for message in findings)


@pytest.mark.parametrize(
    ("sections", "warned"),
    [
        ({"setup": SYNC}, True),
        ({"setup": SYNC, "storage": ON_PATH}, False),
        ({"setup": SYNC, "remote_env": {"exports": {"UV_LINK_MODE": "copy"}}}, False),
        ({"setup": [{"command": "UV_LINK_MODE=copy uv sync"}]}, False),
        ({"setup": [{"command": "uv pip install x"}]}, False),
        ({}, False),
    ],
)
def test_uv_on_a_network_file_system(project: Project, sections: dict[str, Any], warned: bool) -> None:
    findings = list(scan_project(project(**sections)))
    assert len(findings) == warned
    assert all(f.path == "storage.volume_mount" and "UV_LINK_MODE=copy" in f.hint for f in findings)
