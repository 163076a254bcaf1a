"""The check phase: what is wrong on this machine is found before anything is paid."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from runpod_deploy.errors import SshUnusable
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.pod.this_machine import Trouble
from runpod_deploy.spec import ArtifactPullSpec, RsyncPushSpec, SecretSpec
from tests.support.fakes.host import FakeHost
from tests.support.worlds import Memory, with_job


def refused(world: Memory) -> str:
    """The message of a run that nothing was paid for."""
    state = carry_out(world.open())
    assert (state.exit_code, world.cloud.created) == (2, [])
    assert state.failure is not None and state.failure.kind == "config"
    assert state.failure.hint.startswith("nothing was started")
    return state.failure.message


def test_a_machine_that_cannot_run_ssh_pays_for_nothing(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.troubles = [Trouble("ssh does not work: a library is missing", "mend it")]
    assert refused(world) == "ssh does not work: a library is missing"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "is not set"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("hf_1\r", "ends in a carriage return: it comes from a file with Windows line ends"),
    ],
)
def test_secrets_that_cannot_be_right(tmp_path: Path, value: str | None, words: str) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, secrets=(SecretSpec(name="hf", destination="/root/hf", env=("HF_TOKEN",)),))
    world.environ = {} if value is None else {"HF_TOKEN": value}
    assert refused(world) == f"secrets: hf: the environment variable HF_TOKEN {words}"


def test_a_secret_file_that_is_empty(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, secrets=(SecretSpec(name="s", destination="/root/s", file="empty"),))
    (tmp_path / "empty").touch()
    assert refused(world) == "secrets: s: the file empty is empty"


def artifact(world: Memory, local_path: str, remote_path: str = "/workspace/out") -> Memory:
    """The world with one artifact that goes there."""
    entry = ArtifactPullSpec(label="a", remote_path=remote_path, local_path=local_path)
    world.spec = with_job(world.spec, artifacts=(entry,))
    return world


@pytest.mark.parametrize(
    ("local", "remote"), [("file/", "/w/a"), ("file", "/w/a/"), ("file/sub/x", "/w/a"), ("gone-link/x", "/w/a")]
)
def test_a_file_where_an_artifact_needs_a_folder(tmp_path: Path, local: str, remote: str) -> None:
    world = artifact(Memory(tmp_path), local, remote)
    (tmp_path / "file").touch()
    (tmp_path / "gone-link").symlink_to("nowhere")
    assert refused(world).startswith(f"artifacts[0].local_path: {tmp_path}/")


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    assert refused(artifact(Memory(tmp_path), "mine/out")).endswith("mine cannot be written: permission denied")


def test_a_source_that_cannot_be_read_or_is_too_deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Memory(tmp_path)
    deep = "/".join(["d" * 200] * 3)
    entry = RsyncPushSpec(label="code", source="src/", destination="/workspace/" + "x/" * 1800)
    world.spec = with_job(world.spec, staging=(entry,))
    (tmp_path / "src" / deep).mkdir(parents=True)
    (tmp_path / "src" / "private.key").touch()
    own = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "private.key" and own(path, mode))
    message = refused(world)
    assert f"staging[0].source: cannot be read: {tmp_path}/src/private.key; " in message
    assert "staging[0].source: paths would have more than 4095 bytes on the pod: ddd" in message


def test_ignored_files_that_git_cannot_name(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    entry = RsyncPushSpec(label="code", source="src/", destination="/workspace/src", respect_gitignore=True)
    world.spec = with_job(world.spec, staging=(entry,))
    message = refused(world)
    assert message.startswith("staging[0].source: staging code: respect_gitignore: git in ")
    assert "not a git repository" in message


def test_a_resumed_run_needs_its_sources_no_more(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    assert carry_out(world.open()).exit_code == 0
    (tmp_path / "src").rmdir()
    assert carry_out(world.open()).exit_code == 0


def test_an_ssh_that_breaks_while_the_job_runs_leaves_the_job_to_its_guard(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.settings = {**world.settings, "job_lasts_s": 600.0}
    run = world.open()

    def follow(_: FakeHost, offset: int) -> NoReturn:
        raise SshUnusable("ssh on this machine does not work: a library is missing", hint="mend it")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeHost, "follow", follow)
        state = carry_out(run)
    assert (state.exit_code, state.end.detached, len(world.cloud.billing)) == (6, "ssh_lost", 1)
    assert carry_out(world.open()).exit_code == 0
    assert (world.starts, len(world.cloud.created)) == (1, 1)
