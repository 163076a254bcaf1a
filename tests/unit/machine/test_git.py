"""Facts about a checkout, from a real git."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from runpod_deploy.machine.git import capture_local_git, capture_payload_lockfile, deploy_metadata, git_ignored
from runpod_deploy.spec import TelemetrySpec


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=trunk"]
    argv = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


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
    assert git_ignored(checkout.parent) == ()
