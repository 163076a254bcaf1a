"""A first config for a project: commented text that is valid as it is. Knows the YAML file; looks at no project."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

from ..money import STOPPED_STORAGE_USD_PER_GB_MONTH, cents, disk_usd_per_day
from .project_files import Installer, Project, command_of

HEAVY = ("node_modules/", "wandb/", "mlruns/", "*.egg-info/", ".env", ".env.*")
GPUS = ("NVIDIA GeForce RTX 4090", "NVIDIA L40S", "NVIDIA A40")
VOLUME_GB = 40
USUAL_CAP_USD = 5.0
MINUTES_PER_USD = 48
"""At the assumed rate of 1 USD an hour, a fifth of the cap is left for a pod that costs more."""
MARK = re.compile(r"@([A-Z]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user has said about the job."""

    gpus: tuple[str, ...] = ()
    """Best first. If empty, three usual ones."""
    cap_usd: float = USUAL_CAP_USD
    project_root: str = "."
    """Relative to the config's folder."""


NO_WISHES = Wishes()


def starter(project: Project, wishes: Wishes = NO_WISHES) -> str:
    """A commented config for the project, valid as it is."""
    values = {
        "NAME": json.dumps(project.name),
        "REPO": json.dumps(f"/workspace/{project.name}"),
        "ROOT": f"local: {{project_root: {json.dumps(wishes.project_root)}}}\n\n" if wishes.project_root != "." else "",
        "GPUS": "".join(f"\n    - {scalar(gpu)}" for gpu in wishes.gpus or GPUS),
        "CAP": f"{wishes.cap_usd:g}",
        "MINUTES": str(max(1, int(wishes.cap_usd * MINUTES_PER_USD))),
        "GITIGNORE": "true                       # leave out what git ignores" if project.has_git else "false",
        "EXCLUDES": json.dumps([*HEAVY, f"/{inside(project, project.results)}/"]),
        "DATA": "".join(data_entry(folder, size) for folder, size in project.data.items()),
        "SECRETS": secrets(project),
        "INSTALL": install(project),
        "FOLDER": folder(project),
        "PROGRAM": command_of(project) or NO_PROGRAM.format(results=project.results),
        "RESULTS": project.results,
        "REMOTE": inside(project, project.results),
        "DAY": str(cents(disk_usd_per_day(VOLUME_GB, STOPPED_STORAGE_USD_PER_GB_MONTH))),
    }
    return MARK.sub(lambda mark: values[mark[1]], TEMPLATE)


def scalar(text: str) -> str:
    """A text as YAML: in quotes unless it is plainly one."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9 +-]*[A-Za-z0-9+]", text) else json.dumps(text)


def inside(project: Project, name: str) -> str:
    """A path in the package's folder, relative to the project's root."""
    return f"{project.folder}/{name}" if project.folder else name


def folder(project: Project) -> str:
    """The package's folder on the pod, as text for a shell."""
    return "{remote_repo}" + (shlex.quote(f"/{project.folder}") if project.folder else "")


def data_entry(name: str, size_bytes: int) -> str:
    """The entry that uploads a folder of data that git ignores."""
    source, destination = json.dumps(f"{name}/"), json.dumps(f"{{remote_repo}}/{name}/")
    note = f"# ignored by git ({size_text(size_bytes)}); comment this entry out to leave it here"
    return f"  - label: {json.dumps(name)}    {note}\n    source: {source}\n    destination: {destination}\n"


def size_text(size_bytes: int) -> str:
    """A size for people."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:.1f} kB"


def secrets(project: Project) -> str:
    """The section of secrets: those of the project's file, or how to send some."""
    if not project.env_file:
        return NO_SECRETS
    names = ", ".join(project.env_names) or "its variables"
    return SECRETS.format(path=json.dumps(project.env_file), names=names)


def install(project: Project) -> str:
    """The sections that install the project on the pod."""
    tools = " papermill ipykernel" if project.entry.endswith(".ipynb") else ""
    sync = "uv sync --frozen" if project.locked else "uv sync"
    sync += f" && uv pip install{tools}" if tools else ""
    if project.kind == "none" and tools:
        return INSTALL["pip"].replace("@REQUIREMENTS", tools.strip()).replace("@FOLDER", folder(project))
    requirements = project.requirements + (tools if project.kind == "pip" else "")
    text = INSTALL[project.kind].replace("@SYNC", sync).replace("@REQUIREMENTS", requirements)
    text = text.replace("@TOOLS", f" && micromamba run -p /root/env python -m pip install{tools}" if tools else "")
    return text.replace("@FOLDER", folder(project))


NO_PROGRAM = "python3 --version >{results}/python.txt   # put your own program here"

SECRETS = """\
secrets:                                     # sent as variables of setup, preflight and the job
  - env_file: {path}                         # {names}
"""
NO_SECRETS = """\
# secrets:                                   # tokens of your environment, as variables of the job
#   - env: [WANDB_API_KEY, HF_TOKEN]
"""

PIP = """\
remote_env:
  exports:
    PIP_BREAK_SYSTEM_PACKAGES: "1"           # the pod is ours, and its image has the right torch
    PIP_ROOT_USER_ACTION: ignore
"""

INSTALL: dict[Installer, str] = {
    "uv": f"""\
{PIP}\
    UV_LINK_MODE: copy                       # hard links may hang on network volumes
    UV_PROJECT_ENVIRONMENT: /root/venv       # on the container's own disk, which is fast
    VIRTUAL_ENV: /root/venv

setup:                                       # before staging
  - command: command -v uv || python3 -m pip install uv
    with_env: true

preflight:                                   # after staging, before the job
  - command: |
      cd @FOLDER && @SYNC
    timeout_sec: 1800
    with_env: true
""",
    "pip": f"""\
{PIP}
preflight:                                   # after staging, before the job
  - command: |
      cd @FOLDER && python3 -m pip install @REQUIREMENTS
    timeout_sec: 1800
    with_env: true
""",
    "conda": """\
setup:                                       # before staging
  - command: >-
      command -v micromamba ||
      { curl -LsSf https://micro.mamba.pm/api/micromamba/linux-64/latest -o /tmp/mamba.tar.bz2 &&
      tar -xjf /tmp/mamba.tar.bz2 -C /usr/local bin/micromamba; }

preflight:                                   # after staging, before the job
  - command: |
      cd @FOLDER && micromamba create --yes --prefix /root/env --file @REQUIREMENTS@TOOLS
    timeout_sec: 1800
""",
    "none": """\
preflight:                                   # after staging, before the job
  - command: nvidia-smi
""",
}

TEMPLATE = """\
# One GPU job on RunPod. Check it:      runpod-deploy validate --config FILE --all
# Rehearse it for free, on a simulator: runpod-sim exec --egress -- runpod-deploy run --config FILE
# Run it, with RUNPOD_API_KEY set:      runpod-deploy run --config FILE
# Editors check it with the schema that `runpod-deploy schema > runpod-deploy.schema.json` writes:
# yaml-language-server: $schema=runpod-deploy.schema.json
schema_version: 2
name: @NAME

@ROOTpod:
  image: runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404
  datacenters: [EU-RO-1, US-TX-3, EUR-IS-1]   # tried in this order
  gpu_order:                                  # tried in this order in each datacenter@GPUS
  container_disk_gb: 40

storage:
  mode: ephemeral                             # created and deleted with the pod
  volume_gb: 40
  volume_mount: /workspace

budget:
  cost_cap_usd: @CAP                           # the job is stopped before the pod costs more
  assumed_hourly_rate_usd: 1.0                # used until the real price is known
  max_runtime_minutes: @MINUTES

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
@DATA
@SECRETS
@INSTALL
run:
  script_path: "{remote_repo}/.job.sh"
  log_path: "{remote_repo}/.job.log"
  body: |                                     # bash; exit status 0 is success
    set -euo pipefail
    cd @FOLDER
    mkdir -p @RESULTS
    export SEED={seed}
    @PROGRAM

artifacts:
  - label: @RESULTS
    remote_path: "{remote_repo}/@REMOTE/"    # with the slash: the folder's contents
    local_path: "{run_dir}/@RESULTS"
    required: true

lifecycle:
  on_success: delete                          # the pod and its disks
  on_failure: stop                            # its volume is kept: @DAY USD a day until you delete the pod
"""
