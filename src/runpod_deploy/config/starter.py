"""A first config for a project, made from the files that are found in it. Knows the usual files of Python projects."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .pyproject import read_pyproject, table

Installer = Literal["uv", "pip", "none"]
SCRIPTS = ("train.py", "main.py", "run.py", "src/train.py", "src/main.py", "scripts/train.py")
RESULT_FOLDERS = ("outputs", "results", "checkpoints", "runs")
HEAVY = ("node_modules/", "wandb/", "mlruns/", "*.egg-info/", ".env", ".env.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The project in a folder, as far as its files tell."""

    name: str
    kind: Installer
    script: str
    """Relative path of the program to run; empty if none was found."""
    results: str
    """Name of the folder with the results."""
    has_git: bool
    requirements: str = ""
    """The arguments of `pip install` for the project's dependencies."""


def look_at(root: Path) -> Project:
    """The project in a folder."""
    content = read_pyproject(root)
    name = table(content, "project").get("name") or root.resolve().name
    return Project(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", str(name)).strip("-.") or "job",
        kind=_installer(root, content),
        script=next((script for script in SCRIPTS if (root / script).is_file()), ""),
        results=next((folder for folder in RESULT_FOLDERS if (root / folder).is_dir()), RESULT_FOLDERS[0]),
        has_git=(root / ".git").exists(),
        requirements="-r requirements.txt" if (root / "requirements.txt").is_file() else "-e .",
    )


def _installer(root: Path, content: dict[str, Any]) -> Installer:
    if (root / "uv.lock").is_file() or "uv" in table(content, "tool"):
        return "uv"
    if (root / "requirements.txt").is_file() or "project" in content:
        return "pip"
    return "none"


def starter(project: Project) -> str:
    """A commented config for the project, valid as it is."""
    return (
        TEMPLATE.replace("@NAME", json.dumps(project.name))
        .replace("@REPO", json.dumps(f"/workspace/{project.name}"))
        .replace("@GITIGNORE", "true   # leave out what git ignores" if project.has_git else "false")
        .replace("@EXCLUDES", json.dumps([*HEAVY, f"/{project.results}/"]))
        .replace("@INSTALL", INSTALL[project.kind].replace("@REQUIREMENTS", project.requirements))
        .replace("@PROGRAM", _program(project))
        .replace("@RESULTS", project.results)
    )


def _program(project: Project) -> str:
    python = "uv run python" if project.kind == "uv" else "python3"
    if project.script:
        return f"{python} {project.script}"
    return f"{python} --version > @RESULTS/python.txt   # put your own program here"


INSTALL: dict[Installer, str] = {
    "uv": """\
remote_env:
  exports:
    UV_LINK_MODE: copy                       # hard links may hang on network volumes
    UV_PROJECT_ENVIRONMENT: /root/venv       # on the container's own disk, which is fast

setup:                                       # before staging
  - command: command -v uv || curl -LsSf https://astral.sh/uv/install.sh | env UV_INSTALL_DIR=/usr/local/bin sh

preflight:                                   # after staging, before the job
  - command: cd {remote_repo} && uv sync --frozen
    timeout_sec: 1800
    with_env: true
""",
    "pip": """\
preflight:                                   # after staging, before the job
  - command: cd {remote_repo} && python3 -m pip install @REQUIREMENTS
    timeout_sec: 1800
""",
    "none": """\
preflight:                                   # after staging, before the job
  - command: nvidia-smi
""",
}

TEMPLATE = """\
# One GPU job on RunPod. Check it with `runpod-deploy validate --config FILE --all`, see what would happen with
# `runpod-deploy run --config FILE --dry-run`, and run it without --dry-run.
# Editors check it with the schema that `runpod-deploy schema > runpod-deploy.schema.json` writes:
# yaml-language-server: $schema=runpod-deploy.schema.json
schema_version: 2
name: @NAME

pod:
  image: runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404
  datacenters: [EU-RO-1, US-TX-3, EUR-IS-1]   # tried in this order
  gpu_order:                                  # tried in this order in each datacenter
    - NVIDIA GeForce RTX 4090
    - NVIDIA L40S
    - NVIDIA A40
  container_disk_gb: 40

storage:
  mode: ephemeral                             # created and deleted with the pod
  volume_gb: 40
  volume_mount: /workspace

budget:
  cost_cap_usd: 5.0                           # the job is stopped before the pod costs more
  assumed_hourly_rate_usd: 1.0                # used until the real price is known
  max_runtime_minutes: 240

variables:                                    # {name} in other fields; replace one with --var name=value
  remote_repo: @REPO
  seed: "1"

staging:
  - label: repo
    source: ./
    destination: "{remote_repo}/"
    excludes_default: true                    # .git, .venv and caches
    respect_gitignore: @GITIGNORE
    excludes: @EXCLUDES

@INSTALL
run:
  script_path: "{remote_repo}/.job.sh"
  log_path: "{remote_repo}/.job.log"
  body: |                                     # bash; exit status 0 is success
    set -euo pipefail
    cd {remote_repo}
    mkdir -p @RESULTS
    export SEED={seed}
    @PROGRAM

artifacts:
  - label: @RESULTS
    remote_path: "{remote_repo}/@RESULTS/"    # with the slash: the folder's contents
    local_path: "{run_dir}/@RESULTS"
    required: true

lifecycle:
  on_success: delete                          # the pod and its disks
  on_failure: stop                            # its disk is kept, and billed until you delete the pod
"""
