"""A terminal gets colour, ages and lines that fit; with `--no-color` and the like, what a script gets byte for byte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.transcripts import run_dirs

TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
CONTROL = re.compile(r"\x1b\[[0-9;]*m")
WIDTH = 100


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_dirs.build(tmp_path_factory.mktemp("records"))


def on_terminal(tree: Path, *arguments: str, **environment: str) -> str:
    """The output of the command on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    env = {"PATH": os.environ["PATH"], "HOME": str(tree), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **environment}
    with subprocess.Popen([TOOL, *arguments], cwd=tree, env=env, stdout=theirs, stderr=subprocess.DEVNULL):
        os.close(theirs)
        written = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    """The next bytes; none once the last writer has ended."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


COMMANDS = [
    ("ls-runs", "--project-root", "tune", "--all"),
    ("manifest-summary", "--root", "tune"),
    ("events", "lab/artifacts/runpod/20260607T000000Z"),
    ("events-query", "--root", "."),
    ("compare-runs", "tune/artifacts/runpod/20260604T101500Z", "tune/artifacts/runpod/20260604T113000Z"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_a_terminal_has_colour_and_lines_that_fit(command: tuple[str, ...], tree: Path) -> None:
    written = on_terminal(tree, *command)

    assert CONTROL.search(written)
    bare = CONTROL.sub("", written)
    assert "\x1b" not in bare, "control characters of records reach no terminal"
    assert max(map(len, bare.splitlines())) <= WIDTH


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
@pytest.mark.parametrize("wish", ["NO_COLOR", "TERM", "--no-color"])
def test_plain_text_is_the_text_that_scripts_get(command: tuple[str, ...], wish: str, tree: Path) -> None:
    if wish.startswith("--"):
        written = on_terminal(tree, *command, wish)
    else:
        written = on_terminal(tree, *command, **{wish: "dumb"})
    piped = subprocess.run([TOOL, *command], cwd=tree, capture_output=True, text=True, check=False).stdout

    assert written == piped


def test_runs_have_an_age(tree: Path) -> None:
    bare = CONTROL.sub("", on_terminal(tree, "ls-runs", "--project-root", "tune"))

    assert re.search(r"^\d+ d ago +20240105T080000Z +embed ", bare, re.MULTILINE)


def test_people_read_a_dash_where_scripts_read_none(tree: Path) -> None:
    command = ("manifest-summary", "lab/artifacts/runpod/20260604T101500Z")
    assert "None" not in CONTROL.sub("", on_terminal(tree, *command))
    assert "run_id:        None" in on_terminal(tree, *command, NO_COLOR="1")
