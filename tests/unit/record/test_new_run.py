"""The folder of all runs holds private keys, and git is kept from taking it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runpod_deploy.record.new_run import keep_out_of_git
from runpod_deploy.record.paths import RUNS_DIR


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of all runs in a new repository, with a file in it."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    folder = tmp_path / RUNS_DIR
    folder.mkdir(parents=True)
    (folder / "key").touch()
    return folder


def status(runs: Path) -> str:
    """What git would take."""
    done = subprocess.run(["git", "-C", runs, "status", "--porcelain"], check=True, capture_output=True, text=True)
    return done.stdout


def test_git_ignores_the_runs(runs: Path) -> None:
    assert status(runs)
    keep_out_of_git(runs)
    assert status(runs) == "" and (runs / ".gitignore").read_text() == "*\n"


def test_runs_that_the_user_tracks_stay_tracked(runs: Path) -> None:
    subprocess.run(["git", "-C", runs, "add", "key"], check=True)
    keep_out_of_git(runs)
    assert not (runs / ".gitignore").exists()


def test_a_choice_of_the_user_stays(runs: Path) -> None:
    (runs / ".gitignore").write_text("")
    keep_out_of_git(runs)
    assert (runs / ".gitignore").read_text() == ""
