"""The Python project around a config: what its pyproject.toml and its uv calls do to a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..config import Draft, Finding
from ..config.pyproject import read_pyproject, table
from ..spec import RunpodJobSpec

OWN_NAME = "runpod-deploy"
REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
UV_SYNC = re.compile(r"\buv\s+sync\b([^\n;&|]*)")
EXTRA = re.compile(r"--extra[= ]\s*[\"']?([A-Za-z0-9._-]+)")
LINK_MODE = "UV_LINK_MODE"
SLOW_MOUNT = "/workspace"


def scan_project(draft: Draft) -> Iterator[Finding]:
    """Warnings about the project's dependencies and about uv on a network file system."""
    job = draft.trial.job
    project = read_pyproject(draft.project_root)
    installed = list(requirements_on_pod(project, job))
    sources = table(project, "tool", "uv", "sources")
    if OWN_NAME in installed or OWN_NAME in map(normal, sources):
        yield warning(f"{OWN_NAME} would be installed on the pod", "it runs here: move it to a group of its own")
    if "torch" in installed and "torch" not in map(normal, sources):
        words = "torch has no index in [tool.uv.sources]"
        yield warning(words, "pin one that fits the image's CUDA, or the pod may train on its CPU")
    if syncs_onto_volume(job):
        words = f"uv sync on a volume at {job.storage.volume_mount} may hang on hard links"
        yield draft.document.finding(("storage", "volume_mount"), words, level="warning", hint=LINK_HINT)


LINK_HINT = f"export {LINK_MODE}=copy in remote_env, or keep the environment on the container's disk"


def requirements_on_pod(project: dict[str, Any], job: RunpodJobSpec) -> Iterator[str]:
    """Names of the packages that the pod's own commands would install."""
    yield from names(table(project, "project").get("dependencies"))
    groups = table(project, "project", "optional-dependencies")
    everything, extras = extras_synced(job)
    for group, requirements in groups.items():
        if everything or normal(group) in extras:
            yield from names(requirements)


def names(requirements: Any) -> Iterator[str]:
    """The package names of requirement lines."""
    for requirement in requirements if isinstance(requirements, list) else []:
        if match := REQUIREMENT.match(str(requirement)):
            yield normal(match[1])


def normal(name: str) -> str:
    """A package name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def extras_synced(job: RunpodJobSpec) -> tuple[bool, set[str]]:
    """Whether the pod's commands install all extras, and those that they name."""
    calls = [call for text in commands(job) for call in UV_SYNC.findall(text)]
    return any("--all-extras" in call for call in calls), {normal(n) for call in calls for n in EXTRA.findall(call)}


def commands(job: RunpodJobSpec) -> list[str]:
    """All shell text of a job."""
    return [*(step.command for step in (*job.setup, *job.preflight)), job.run.body]


def syncs_onto_volume(job: RunpodJobSpec) -> bool:
    """Whether uv would build an environment on a volume that may be a network file system."""
    mount = job.storage.volume_mount.rstrip("/") + "/"
    texts = commands(job)
    set_somewhere = LINK_MODE in job.remote_env.exports or any(f"{LINK_MODE}=copy" in text for text in texts)
    return mount.startswith(SLOW_MOUNT + "/") and not set_somewhere and any(UV_SYNC.search(t) for t in texts)


def warning(message: str, hint: str) -> Finding:
    """A warning about the project's own file."""
    return Finding(message=message, source="pyproject.toml", level="warning", hint=hint)
