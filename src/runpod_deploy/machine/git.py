"""Facts about the caller's checkout: its commit, its lockfile, what git ignores. Knows git; changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..spec import TelemetrySpec
from . import proc

GIT_TIMEOUT_S = 20.0
GIT_KEYS = ("local_git_sha", "local_git_dirty", "local_git_branch")
LOCKFILE_KEYS = ("payload_lockfile", "payload_lockfile_sha256")
# The first of these that is there pins what the payload is built of.
LOCKFILES = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pixi.lock",
    "conda-lock.yml",
    "requirements.lock",
    "requirements.txt",
)
# Results of earlier runs are no change to what is run.
OWN_RESULTS = ":(exclude)artifacts/runpod"


def deploy_metadata(project_root: Path, telemetry: TelemetrySpec) -> dict[str, Any]:
    """The facts that telemetry asks for, of those that `capture-env` prints."""
    metadata: dict[str, Any] = {}
    if telemetry.capture_local_git:
        metadata.update(capture_local_git(project_root))
    if telemetry.capture_payload_lockfile:
        metadata.update(capture_payload_lockfile(project_root))
    return metadata


def capture_local_git(project_root: Path | str) -> dict[str, Any]:
    """Commit, dirty flag and branch of a checkout; None for what cannot be known. Never raises."""
    pathspec = [":/", OWN_RESULTS]
    status = git(Path(project_root), "status", "--porcelain=v2", "--branch", "--", *pathspec)
    if status is None:
        return dict.fromkeys(GIT_KEYS)
    lines = status.decode(errors="replace").splitlines()
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return {
        "local_git_sha": commit if commit != "(initial)" else None,
        "local_git_dirty": any(not line.startswith("#") for line in lines),
        "local_git_branch": branch if branch != "(detached)" else None,
    }


def capture_payload_lockfile(project_root: Path | str) -> dict[str, Any]:
    """Name and hash of a project's lockfile; None if it has none. Never raises."""
    for name in LOCKFILES:
        try:
            content = (Path(project_root) / name).read_bytes()
        except (OSError, ValueError):
            continue
        return {"payload_lockfile": name, "payload_lockfile_sha256": hashlib.sha256(content).hexdigest()}
    return dict.fromkeys(LOCKFILE_KEYS)


def git_ignored(folder: Path) -> tuple[str, ...]:
    """What git ignores below a folder, relative to it; nothing if it is in no checkout."""
    flags = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
    listing = git(folder, "ls-files", *flags)
    if not listing:
        return ()
    return tuple(name.rstrip("/") for name in listing.decode(errors="surrogateescape").split("\0") if name)


def git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints in a folder, or None if it fails. Takes no lock, so that no other git is in its way."""
    if not folder.is_dir():
        return None
    argv = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = proc.run(argv, timeout_s=GIT_TIMEOUT_S)
    except (OSError, TimeoutError):
        return None
    return done.stdout if done.exit_code == 0 else None
