"""Facts about the caller's checkout: its commit, its lockfile, what git ignores. Knows git; changes nothing.

A checkout may be a stranger's. Its configuration can name commands (`core.fsmonitor`, hooks, filters, remotes that are
asked for missing objects), so all of these are turned off, by settings that win over every file. A file that is stored
through a filter, as Git LFS does, then counts as changed once its time stamp has changed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..spec import TelemetrySpec
from ..spec.job import RUNS_DIR
from . import environment, proc
from .limits import LOCKFILE_BYTES
from .reading import read_limited

GIT_TIMEOUT_S = 20.0
LISTING_TIMEOUT_S = 120.0
OUTPUT_BYTES = 64 << 20
OLDEST_GIT = (2, 31)
"""The first version that takes settings from its environment, where a setting's name may hold any character."""
OURS = {
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "protocol.allow": "never",
    "status.submoduleSummary": "false",
}
READ_ONLY = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
}
"""It takes no lock, so it disturbs no other git, and asks no remote."""
FILTER = re.compile(r"filter\.(.*)\.(?:clean|smudge|process|required)", re.DOTALL)
MOST_FILTERS = 100
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


class GitFailed(ConfigError):
    """A git command failed; the message has git's own words."""


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
    # A submodule's own settings are not ours to turn off, so nothing is run in it: only its commit is compared.
    flags = ("--porcelain=v2", "--branch", "--ignore-submodules=dirty")
    try:
        status = git(Path(project_root), "status", *flags, "--", ":/", OWN_RESULTS)
    except GitFailed:
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
            content = read_limited(Path(project_root) / name, LOCKFILE_BYTES)
        except (OSError, ValueError):
            continue
        return {"payload_lockfile": name, "payload_lockfile_sha256": hashlib.sha256(content).hexdigest()}
    return dict.fromkeys(LOCKFILE_KEYS)


def git_ignored(folder: Path) -> tuple[str, ...]:
    """The paths below a folder that git ignores, relative to it. Raises GitFailed, also for what is in no checkout."""
    flags = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
    listing = git(folder, "ls-files", *flags, timeout_s=LISTING_TIMEOUT_S)
    return tuple(name.rstrip("/") for name in listing.decode(errors="surrogateescape").split("\0") if name)


def is_tracked(folder: Path) -> bool:
    """Whether git tracks a file in this folder; False if that cannot be found out."""
    try:
        return bool(git(folder, "ls-files", "-z"))
    except GitFailed:
        return False


def git(folder: Path, *arguments: str, timeout_s: float = GIT_TIMEOUT_S) -> bytes:
    """The output of a git command that reads. Nothing that the checkout configures is run. Raises GitFailed."""
    settings = dict(OURS)
    names = called(folder, ("config", "--list", "--name-only", "-z"), settings, GIT_TIMEOUT_S)
    return called(folder, arguments, settings | without_filters(names.decode(errors="surrogateescape")), timeout_s)


def without_filters(names: str) -> dict[str, str]:
    """The settings that turn off every filter among these NUL-separated names of settings. Raises GitFailed."""
    found = {match[1] for name in names.split("\0") if (match := FILTER.fullmatch(name))}
    if len(found) > MOST_FILTERS:
        raise GitFailed(f"git: more than {MOST_FILTERS} filters are configured")
    off = {"clean": "", "smudge": "", "process": "", "required": "false"}
    return {f"filter.{driver}.{key}": value for driver in sorted(found) for key, value in off.items()}


def called(folder: Path, arguments: Sequence[str], settings: Mapping[str, str], timeout_s: float) -> bytes:
    """The output of a git command with these settings. Raises GitFailed with git's own words."""
    if oldness := too_old():
        raise GitFailed(oldness)
    argv = ["git", "-C", str(folder), "--no-pager", *arguments]
    try:
        done = proc.run(argv, env=environment_with(settings), timeout_s=timeout_s, keep_bytes=OUTPUT_BYTES)
    except TimeoutError:
        raise GitFailed(f"git took longer than {timeout_s:.0f} s in {folder}") from None
    except OSError as error:
        raise GitFailed(f"git cannot be started: {error.strerror}") from error
    if done.exit_code != 0:
        words = done.stderr.decode(errors="replace").strip() or f"exit code {done.exit_code}"
        raise GitFailed(f"git in {folder}: {words}")
    return done.stdout


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of git, with these settings above those of every file."""
    pairs = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment.of_git() | READ_ONLY | pairs


@cache
def too_old() -> str:
    """What is wrong if this machine has no git that takes our settings; empty if it has one."""
    try:
        words = proc.run(["git", "--version"], env=environment.of_git(), timeout_s=GIT_TIMEOUT_S).stdout.decode()
    except (OSError, TimeoutError, ValueError) as error:
        return f"git cannot be started: {error}"
    found = re.match(r"git version (\d+)\.(\d+)", words)
    if found and (int(found[1]), int(found[2])) >= OLDEST_GIT:
        return ""
    return f"git {'.'.join(map(str, OLDEST_GIT))} or newer is needed, got {words.strip()!r}"
