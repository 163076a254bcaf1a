"""Children are bounded in time and memory, and never outlive the caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from runpod_deploy.errors import Interrupt
from runpod_deploy.machine import proc
from runpod_deploy.machine.limits import STDERR_BYTES
from runpod_deploy.machine.signals import Signals
from tests.support.shell_grounds import eventually


def alive(text: str) -> bool:
    return subprocess.run(["pgrep", "-f", text], capture_output=True).returncode == 0


def test_input_output_and_status() -> None:
    ended = proc.run(("sh", "-c", "cat; echo err >&2; exit 3"), stdin=b"in", timeout_s=10)
    assert ended == proc.Completed(3, b"in", b"err\n")


def test_much_data_in_both_directions_does_not_block() -> None:
    data = os.urandom(5_000_000)
    assert proc.run(("cat",), stdin=data, timeout_s=20, keep_bytes=1 << 30).stdout == data


def test_of_much_output_the_last_is_kept() -> None:
    ended = proc.run(("sh", "-c", "head -c 9000000 /dev/zero; echo end"), timeout_s=20, keep_bytes=1000)
    assert len(ended.stdout) == 1000
    assert ended.stdout.endswith(b"\0end\n")


def test_stderr_of_a_running_child_stays_within_its_limit() -> None:
    with proc.Child(("sh", "-c", "echo first >&2; head -c 30000000 /dev/zero >&2; echo still alive")) as child:
        assert child.read(100) == b"still alive\n", "a child that cannot write its errors goes on"
        assert child.wait(100) == 0
        said = child.errors()
    assert said.startswith(b"first\n") and len(said) <= STDERR_BYTES


def test_output_comes_as_it_is_made() -> None:
    seen: list[bytes] = []
    proc.run(("sh", "-c", "echo a; echo b >&2; sleep 0.3; echo c"), timeout_s=10, on_output=seen.append)
    assert b"".join(seen) == b"a\nb\nc\n"


def test_a_child_that_does_not_read_its_input_is_no_error() -> None:
    assert proc.run(("true",), stdin=bytes(1_000_000), timeout_s=10).exit_code == 0


def test_a_timeout_kills_the_whole_group() -> None:
    with pytest.raises(TimeoutError):
        proc.run(("sh", "-c", f"trap '' TERM; sleep 81.{os.getpid()} & sleep 82.{os.getpid()}; wait"), timeout_s=0.3)
    assert not alive(f"sleep 8[12].{os.getpid()}")


def test_a_daemon_that_keeps_the_pipes_open_delays_nobody() -> None:
    ended = proc.run(("sh", "-c", "sleep 60 & echo $!"), timeout_s=30)
    os.kill(int(ended.stdout), signal.SIGKILL)  # it still ran


def test_an_interrupt_leaves_no_child() -> None:
    with Signals().installed():
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(Interrupt):
            proc.run(("sleep", f"83.{os.getpid()}"), timeout_s=20)
    assert not alive(f"sleep 83.{os.getpid()}")


def test_a_child_has_a_session_of_its_own() -> None:
    child = proc.run((sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())"), timeout_s=20)
    assert child.stdout == b"True\n"


def test_a_child_answers_through_its_pipes() -> None:
    with proc.Child(("cat",)) as child:
        child.write(b"there")
        assert child.read(100, 5.0) == b"there"
        assert child.read(100, 0.05) is None
        child.close_stdin()
        assert child.read(100, 5.0) == b""
        assert child.wait(5.0) == 0


def test_errors_of_a_child_are_kept_apart() -> None:
    with proc.Child(("sh", "-c", "head -c 1000000 /dev/zero >&2; echo why >&2; exit 9")) as child:
        assert child.wait(10.0) == 9
        assert child.errors().endswith(b"why\n")


def test_a_stalled_child_is_a_timeout() -> None:
    with proc.Child(("sleep", f"84.{os.getpid()}")) as child, pytest.raises(TimeoutError):
        child.write(bytes(10_000_000), stall_s=0.2)
    eventually(lambda: not alive(f"sleep 84.{os.getpid()}"))


def test_a_child_that_closed_its_input_is_a_broken_pipe() -> None:
    with proc.Child(("true",)) as child:
        child.wait(5.0)
        with pytest.raises(BrokenPipeError):
            child.write(bytes(10_000_000))


def test_only_programs_on_the_path_are_installed() -> None:
    assert proc.is_installed("sh")
    assert not proc.is_installed("no-such-program-anywhere")
