"""Facts about a checkout, from a real git."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from runpod_deploy.machine.git import (
    GitFailed,
    capture_local_git,
    capture_payload_lockfile,
    deploy_metadata,
    git_ignored,
    too_old,
)
from runpod_deploy.spec import TelemetrySpec


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=trunk"]
    argv = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    git(folder, "init")
    (folder / "a.py").write_text("1\n")
    (folder / ".gitignore").write_text("*.log\n/data/\nübung\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    return folder


def test_commit_branch_and_dirty_flag(checkout: Path) -> None:
    clean = {
        "local_git_sha": git(checkout, "rev-parse", "HEAD"),
        "local_git_dirty": False,
        "local_git_branch": "trunk",
    }
    assert capture_local_git(checkout) == clean
    runs = checkout / "artifacts" / "runpod" / "20260101T000000Z"
    runs.mkdir(parents=True)
    (runs / "run.log").write_text("")
    (runs / "events.jsonl").write_text("")
    assert capture_local_git(checkout) == clean
    (checkout / "new.py").write_text("2\n")
    assert capture_local_git(checkout) == {**clean, "local_git_dirty": True}


def test_a_detached_head_has_no_branch(checkout: Path) -> None:
    git(checkout, "checkout", "--detach")
    assert capture_local_git(checkout)["local_git_branch"] is None


def test_a_new_checkout_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert capture_local_git(tmp_path) == {
        "local_git_sha": None,
        "local_git_dirty": False,
        "local_git_branch": "trunk",
    }


def test_what_is_no_checkout_is_unknown(tmp_path: Path) -> None:
    unknown = {"local_git_sha": None, "local_git_dirty": None, "local_git_branch": None}
    assert capture_local_git(tmp_path) == unknown
    assert capture_local_git(tmp_path / "missing") == unknown


def test_the_lockfile_is_named_and_hashed(tmp_path: Path) -> None:
    assert capture_payload_lockfile(tmp_path) == {"payload_lockfile": None, "payload_lockfile_sha256": None}
    (tmp_path / "requirements.txt").write_text("numpy\n")
    (tmp_path / "uv.lock").write_bytes(b"lock")
    assert capture_payload_lockfile(tmp_path) == {
        "payload_lockfile": "uv.lock",
        "payload_lockfile_sha256": hashlib.sha256(b"lock").hexdigest(),
    }


def test_only_facts_that_are_switched_on(checkout: Path) -> None:
    telemetry = TelemetrySpec(capture_local_git=False)
    assert list(deploy_metadata(checkout, telemetry)) == ["payload_lockfile", "payload_lockfile_sha256"]
    assert list(deploy_metadata(checkout, TelemetrySpec())) == [
        "local_git_sha",
        "local_git_dirty",
        "local_git_branch",
        "payload_lockfile",
        "payload_lockfile_sha256",
    ]


def test_what_git_ignores(checkout: Path) -> None:
    (checkout / "data").mkdir()
    for name in ("x.log", "data/big.bin", "kept.txt", "übung", "odd\nname.log"):
        (checkout / name).write_text("")
    assert sorted(git_ignored(checkout)) == ["data", "odd\nname.log", "x.log", "übung"]


def test_a_git_that_fails_says_why_and_ignores_nothing_by_itself(checkout: Path, monkeypatch: MonkeyPatch) -> None:
    with pytest.raises(GitFailed, match="not a git repository"):
        git_ignored(checkout.parent)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    (checkout / "x.log").write_text("")
    assert git_ignored(checkout) == ("x.log",)
    (checkout / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitFailed, match="bad config line 1"):
        git_ignored(checkout)


def test_without_git_nothing_is_known(checkout: Path, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    too_old.cache_clear()
    try:
        with pytest.raises(GitFailed, match="git cannot be started"):
            git_ignored(checkout)
        assert set(capture_local_git(checkout).values()) == {None}
    finally:
        too_old.cache_clear()


def spy(folder: Path) -> tuple[Path, str]:
    """A program that leaves a file when it is run, and that file."""
    left, program = folder / "it-ran", folder / "spy"
    program.write_text(f"#!/bin/sh\nenv >>'{left}'\ncat\n")
    program.chmod(0o755)
    return left, str(program)


def looked_at(folder: Path) -> None:
    """Both questions that we ask git were asked."""
    capture_local_git(folder)
    try:
        git_ignored(folder)
    except GitFailed:
        pass


@pytest.mark.parametrize(
    ("settings", "attributes"),
    [
        ({"core.fsmonitor": "SPY"}, ""),
        ({"filter.f.clean": "SPY", "filter.f.required": "true"}, "*.py filter=f"),
        ({"filter.f.process": "SPY"}, "*.py filter=f"),
        ({"filter..clean": "SPY"}, "*.py filter="),
        ({"filter.a=b.clean": "SPY"}, "*.py filter=a=b"),
        ({"core.hooksPath": "HOOKS"}, ""),
    ],
)
def test_nothing_that_a_checkout_configures_is_run(
    checkout: Path, tmp_path: Path, settings: dict[str, str], attributes: str
) -> None:
    left, program = spy(tmp_path)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman"):
        (hooks / name).symlink_to(program)
    (checkout / ".git" / "info" / "attributes").write_text(attributes + "\n")
    for key, value in settings.items():
        git(checkout, "config", key, value.replace("SPY", program).replace("HOOKS", str(hooks)))
    changed = (checkout / "a.py").stat().st_mtime + 60
    os.utime(checkout / "a.py", (changed, changed))  # so that git has to compare the content
    looked_at(checkout)
    assert not left.exists()
    if "core.hooksPath" not in settings:
        os.utime(checkout / "a.py", (changed + 60, changed + 60))
        subprocess.run(["git", "-C", str(checkout), "status"], capture_output=True, check=False)
        assert left.exists(), "a git without our settings runs it"


def test_an_embedded_bare_repository_is_none(checkout: Path, tmp_path: Path) -> None:
    left, program = spy(tmp_path)
    bare = checkout / "docs"
    git(checkout, "init", "--bare", str(bare))
    for key, value in {"core.bare": "false", "core.worktree": ".", "core.fsmonitor": program}.items():
        git(bare, "--git-dir=.", "config", key, value)
    looked_at(bare)
    assert not left.exists()
    assert capture_local_git(bare)["local_git_sha"] is None


def test_nothing_is_run_in_a_submodule(checkout: Path, tmp_path: Path) -> None:
    left, program = spy(tmp_path)
    inner = checkout / "inner"
    inner.mkdir()
    git(inner, "init")
    git(inner, "commit", "--allow-empty", "-m", "first")
    (checkout / ".gitmodules").write_text('[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n')
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "second")
    git(inner, "config", "core.fsmonitor", program)
    assert capture_local_git(checkout)["local_git_dirty"] is False
    assert not left.exists()


def test_no_remote_is_asked_for_what_is_missing(checkout: Path, tmp_path: Path) -> None:
    left, program = spy(tmp_path)
    remote = {"url": f"ext::{program}", "promisor": "true", "partialclonefilter": "tree:0"}
    settings = {"extensions.partialClone": "origin", "protocol.ext.allow": "always"}
    for key, value in {**settings, **{f"remote.origin.{key}": value for key, value in remote.items()}}.items():
        git(checkout, "config", key, value)
    git(checkout, "config", "core.repositoryFormatVersion", "1")
    tree = git(checkout, "rev-parse", "HEAD^{tree}")
    (checkout / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    (checkout / ".git" / "index").unlink()
    looked_at(checkout)
    assert not left.exists()


def test_a_program_of_the_project_is_not_taken_for_git(
    checkout: Path, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    left, program = spy(tmp_path)
    (checkout / "git").symlink_to(program)
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    looked_at(checkout)
    assert not left.exists()
