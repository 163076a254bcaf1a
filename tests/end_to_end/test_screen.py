"""A run on a real terminal: drawn while it lasts, as it was afterwards; plain wherever nobody can look."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

from tests.support.harness import TOOL, WORK, Simulator, job
from tests.support.terminal import OnTerminal


def on_terminal(sim: Simulator, config: Path, **env: str) -> tuple[int, bytes]:
    """Exit code and all that a run wrote to its terminal."""
    ours, theirs = pty.openpty()
    argv = [TOOL, "run", "--config", str(config)]
    environment = {**sim.env, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **env}
    process = subprocess.Popen(
        argv, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    pieces: list[bytes] = []
    reader = threading.Thread(target=lambda: drain(ours, pieces))
    reader.start()
    code = process.wait(300)
    reader.join(20)
    os.close(ours)
    return code, b"".join(pieces)


def drain(fd: int, pieces: list[bytes]) -> None:
    """Everything that comes, until the other side has closed."""
    try:
        while data := os.read(fd, 1 << 16):
            pieces.append(data)
    except OSError:  # Linux says so when the last holder of the other side is gone
        return


def test_a_run_on_a_terminal(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p", body=WORK + "printf '\\r10%%\\r20%%'; sleep 2", telemetry={"sample_interval_sec": 5})
    code, written = on_terminal(sim, config)
    assert code == 0, written
    assert written.count(b"\x1b[?1049h") == written.count(b"\x1b[?1049l") == 1, "the terminal is as it was"
    drawn, _, after = written.partition(b"\x1b[?1049l")
    assert "▶ watch".encode() in drawn and b"NVIDIA L40S" in drawn and b"20%" in drawn and b"GPU 0" in drawn
    kept = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", after).decode()
    assert "succeeded" in kept and "out: 7 B" in kept and "artifacts/runpod/" in kept


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_codes_gets_none(sim: Simulator, tmp_path: Path, env: dict[str, str]) -> None:
    code, written = on_terminal(sim, job(tmp_path / "p", body=WORK), **env)
    assert code == 0 and b"\x1b" not in written and b"succeeded, exit code 0" in written


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [("d", 0, "carries the run to its end"), ("q", 130, "kind: interrupted")],
)
def test_a_key_leaves_or_ends_the_run_and_the_terminal_is_as_it_was(
    sim: Simulator, tmp_path: Path, key: str, code: int, said: str
) -> None:
    config = job(tmp_path / "p", body=f"{WORK}sleep {2 if key == 'd' else 60}\n", lifecycle={"on_failure": "delete"})
    with OnTerminal([TOOL, "run", str(config)], sim.env) as terminal:
        terminal.await_text("▶ watch")
        terminal.await_text("d detaches · q or Ctrl-C ends the job")
        assert not termios.tcgetattr(terminal.theirs)[3] & termios.ICANON, "keys are read at once"
        terminal.type(key)
        assert terminal.end() == code, terminal.text[-3000:]
        assert said in terminal.text
        assert termios.tcgetattr(terminal.theirs) == terminal.mode
    deadline = time.monotonic() + 40
    while any(pod["ended"] is None for pod in sim.ledger["pods"]):
        assert time.monotonic() < deadline, "the run that was left is carried to its end"
        time.sleep(0.1)
