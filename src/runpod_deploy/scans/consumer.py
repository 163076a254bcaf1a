"""The Python project of a config: mistakes in its dependencies and in its calls of uv that would break a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..config import Draft, Finding
from ..config.pyproject import read_pyproject, table
from ..config.rendering import shell_texts
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
    if OWN_NAME in installed or OWN_NAME in map(normalized, sources):
        hint = "it is only needed on this machine: move it to a dependency group of its own"
        yield warning(f"{OWN_NAME} would be installed on the pod", hint)
    if "torch" in installed and "torch" not in map(normalized, sources):
        hint = "pin one that matches the image's CUDA version, or the pod may train on its CPU"
        yield warning("torch has no index in [tool.uv.sources]", hint)
    if syncs_onto_volume(job):
        message = f"uv sync on a volume at {job.storage.volume_mount} may hang on hard links"
        yield draft.document.finding(("storage", "volume_mount"), message, level="warning", hint=LINK_HINT)


LINK_HINT = f"export {LINK_MODE}=copy in remote_env, or put the environment on the container disk"


def requirements_on_pod(project: dict[str, Any], job: RunpodJobSpec) -> Iterator[str]:
    """Names of the packages that the commands on the pod would install."""
    yield from package_names(table(project, "project").get("dependencies"))
    groups = table(project, "project", "optional-dependencies")
    everything, extras = extras_synced(job)
    for group, requirements in groups.items():
        if everything or normalized(group) in extras:
            yield from package_names(requirements)


def package_names(requirements: Any) -> Iterator[str]:
    """The package names in a list of requirements."""
    for requirement in requirements if isinstance(requirements, list) else []:
        if match := REQUIREMENT.match(str(requirement)):
            yield normalized(match[1])


def normalized(name: str) -> str:
    """A package name in the form that package indexes compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def extras_synced(job: RunpodJobSpec) -> tuple[bool, set[str]]:
    """Whether the commands on the pod install all extras, and the extras that they name."""
    calls = [call for _, text in shell_texts(job) for call in UV_SYNC.findall(text)]
    return any("--all-extras" in call for call in calls), {normalized(n) for call in calls for n in EXTRA.findall(call)}


def syncs_onto_volume(job: RunpodJobSpec) -> bool:
    """Whether uv would build an environment on a volume that may be a network file system."""
    mount = job.storage.volume_mount.rstrip("/") + "/"
    texts = [text for _, text in shell_texts(job)]
    set_somewhere = LINK_MODE in job.remote_env.exports or any(f"{LINK_MODE}=copy" in text for text in texts)
    return mount.startswith(SLOW_MOUNT + "/") and not set_somewhere and any(UV_SYNC.search(t) for t in texts)


def warning(message: str, hint: str) -> Finding:
    """A warning about the project's own file."""
    return Finding(message=message, source="pyproject.toml", level="warning", hint=hint)
