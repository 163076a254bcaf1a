"""The lock between processes: waited for within a time, and left at a signal."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from runpod_deploy.errors import Interrupt
from runpod_deploy.machine.clock import SystemClock
from runpod_deploy.machine.locks import locked, refuse_other_names
from runpod_deploy.machine.signals import Signals


def test_one_block_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    clock = SystemClock()
    with locked(path, clock, within_s=1.0), pytest.raises(TimeoutError), locked(path, clock, within_s=0.1):
        pass
    with locked(path, SystemClock(), within_s=0.1):
        pass


def test_a_folder_that_does_not_exist_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError), locked(Path("/proc/none/lock"), SystemClock(), within_s=30.0):
        pass


def test_a_signal_ends_the_wait(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path), Signals().installed():
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(Interrupt), locked(path, SystemClock(), within_s=60.0):
            pass


def test_a_file_with_another_name_is_no_lock(tmp_path: Path) -> None:
    """Old versions of filelock empty it, and with it the file of the other name."""
    precious, hard, soft = tmp_path / "precious", tmp_path / "hard", tmp_path / "soft"
    precious.write_text("mine")
    hard.hardlink_to(precious)
    soft.symlink_to(precious)
    for path in (hard, soft):
        with pytest.raises(OSError, match="a link"), locked(path, SystemClock(), within_s=0.1):
            pass
        with pytest.raises(OSError, match="a link"):
            refuse_other_names(path)
        assert precious.read_text() == "mine"
