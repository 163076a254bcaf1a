"""The note that names the holder of a run's lock may be a stranger's."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from runpod_deploy.errors import ConfigError
from runpod_deploy.history.known_runs import is_held
from runpod_deploy.machine import left_behind
from runpod_deploy.record.lock import RunLock
from runpod_deploy.record.paths import RunDir


@pytest.mark.parametrize("number", ["0", "-1", "9" * 5000, "99999999999999999999", "1 2", "\u0661"])
def test_a_note_names_no_process_but_one_that_holds_the_lock(tmp_path: Path, number: str) -> None:
    lock = RunLock(RunDir(tmp_path))
    lock.note.write_text(f"process {number} on {socket.gethostname()}\n")
    assert lock.holder_here() is None


def test_the_process_that_holds_the_lock_is_known(tmp_path: Path) -> None:
    lock = RunLock(RunDir(tmp_path))
    with lock.held(wait_s=0):
        assert lock.holder_here() == os.getpid()


@pytest.mark.skipif(shutil.which("lsof") is None, reason="needs lsof, as macOS has it")
def test_without_a_proc_folder_only_a_process_that_has_the_lock_open_is_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left_behind, "PROCESSES", tmp_path / "none")
    lock = RunLock(RunDir(tmp_path))
    with lock.held(wait_s=0):
        assert lock.holder_here() == os.getpid()
    assert lock.holder_here() is None, "the note still names this process, which could be another one by now"


def test_a_lock_with_another_name_is_neither_taken_nor_emptied(tmp_path: Path) -> None:
    precious, lock = tmp_path / "precious", RunLock(RunDir(tmp_path))
    precious.write_text("mine")
    lock.path.hardlink_to(precious)
    assert is_held(RunDir(tmp_path)), "nobody can say whether it is"
    with pytest.raises(ConfigError, match="a link"):
        lock.acquire()
    assert precious.read_text() == "mine"
