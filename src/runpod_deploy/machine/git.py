"""Facts about the caller's checkout: its commit, its lockfile, what git ignores. Knows git; changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..spec import TelemetrySpec
from ..spec.job import RUNS_DIR
from . import proc

GIT_TIMEOUT_S = 20.0
GIT_KEYS = ("local_git_sha", "local_git_dirty", "local_git_branch")
LOCKFILE_KEYS = ("payload_lockfile", "payload_lockfile_sha256")
# The first of these that exists fixes the versions of the payload's dependencies.
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
# The results of earlier runs do not change the code that runs.
OWN_RESULTS = f":(exclude){RUNS_DIR.as_posix()}"


def deploy_metadata(project_root: Path, telemetry: TelemetrySpec) -> dict[str, Any]:
    """Those facts of `capture-env` that the telemetry settings ask for."""
    metadata: dict[str, Any] = {}
    if telemetry.capture_local_git:
        metadata.update(capture_local_git(project_root))
    if telemetry.capture_payload_lockfile:
        metadata.update(capture_payload_lockfile(project_root))
    return metadata


def capture_local_git(project_root: Path | str) -> dict[str, Any]:
    """The commit, dirty flag and branch of a checkout; None for each that is unknown. Never raises."""
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
    """The name and hash of a project's lockfile; both None if it has none. Never raises."""
    for name in LOCKFILES:
        try:
            content = (Path(project_root) / name).read_bytes()
        except (OSError, ValueError):
            continue
        return {"payload_lockfile": name, "payload_lockfile_sha256": hashlib.sha256(content).hexdigest()}
    return dict.fromkeys(LOCKFILE_KEYS)


def git_ignored(folder: Path) -> tuple[str, ...]:
    """The paths below a folder that git ignores, relative to it; empty if the folder is in no checkout."""
    flags = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
    listing = git(folder, "ls-files", *flags)
    if not listing:
        return ()
    return tuple(name.rstrip("/") for name in listing.decode(errors="surrogateescape").split("\0") if name)


def git(folder: Path, *arguments: str) -> bytes | None:
    """The output of a git command in a folder, or None if it fails. It takes no lock, so it disturbs no other git."""
    if not folder.is_dir():
        return None
    argv = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = proc.run(argv, timeout_s=GIT_TIMEOUT_S)
    except (OSError, TimeoutError):
        return None
    return done.stdout if done.exit_code == 0 else None
