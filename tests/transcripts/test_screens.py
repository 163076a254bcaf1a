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

from runpod_deploy.cli.overview import COLUMNS, cells_of
from runpod_deploy.terminal.fitting import fitted
from tests.transcripts import run_dirs

TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
CONTROL = re.compile(r"\x1b\[[0-9;]*m")
WIDTH = 100


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_dirs.build(tmp_path_factory.mktemp("records"))


def on_terminal(tree: Path, *arguments: str, width: int = WIDTH, environment: dict[str, str] | None = None) -> str:
    """The output of the command on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tree),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        **(environment or {}),
    }
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


HERE = Path(__file__).parent / "screens"
SCREENS: dict[str, tuple[str, ...]] = {
    "ls-runs": ("ls-runs",),
    "ls-runs-best": ("ls-runs", "--filter", "outcome=succeeded", "--sort", "loss", "--best", "accuracy"),
    "compare-two": ("compare-runs", "20261120T180000Z", "20261120T180002Z"),
    "compare-many": ("compare-runs", "--filter", "job=digits", "--best", "loss:min"),
    "status": (),
}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_dirs.sweep(tmp_path_factory.mktemp("sweep"))


COMMANDS = [
    ("ls-runs", "--project-root", "tune", "--all"),
    ("manifest-summary", "--root", "tune"),
    ("events", "lab/artifacts/runpod/20260607T000000Z"),
    ("events-query", "--root", "."),
    ("compare-runs", "tune/artifacts/runpod/20260604T101500Z", "tune/artifacts/runpod/20260604T113000Z"),
]


FOR_SCRIPTS = [command for command in COMMANDS if command[0] not in ("ls-runs", "compare-runs")]
"""Commands whose layout is the same for people and scripts, but for the colours."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_a_terminal_has_colour_and_lines_that_fit(command: tuple[str, ...], tree: Path) -> None:
    written = on_terminal(tree, *command)

    assert CONTROL.search(written)
    bare = CONTROL.sub("", written)
    assert "\x1b" not in bare, "control characters of records reach no terminal"
    assert max(map(len, bare.splitlines())) <= WIDTH


@pytest.mark.parametrize("command", FOR_SCRIPTS, ids=lambda command: str(command[0]))
@pytest.mark.parametrize("wish", ["NO_COLOR", "TERM", "--no-color"])
def test_plain_text_is_the_text_that_scripts_get(command: tuple[str, ...], wish: str, tree: Path) -> None:
    if wish.startswith("--"):
        written = on_terminal(tree, *command, wish)
    else:
        written = on_terminal(tree, *command, environment={wish: "dumb"})
    piped = subprocess.run([TOOL, *command], cwd=tree, capture_output=True, text=True, check=False).stdout

    assert written == piped


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_a_screen_reads_well(screen: str, width: int, sweep: Path) -> None:
    expected = HERE / f"{screen}-{width}.txt"
    actual = "".join(f"{line.rstrip()}\n" for line in shown(sweep, screen, width).splitlines())
    if os.environ.get("WRITE_TRANSCRIPTS"):
        expected.write_text(actual, encoding="utf-8")
    assert actual == expected.read_text(encoding="utf-8")
    assert max(map(len, actual.splitlines())) <= width


def shown(sweep: Path, screen: str, width: int) -> str:
    """The command on a terminal of that width, or the overview of runs at one moment."""
    if screen != "status":
        return on_terminal(sweep, *SCREENS[screen], width=width, environment={"NO_COLOR": "1", "TZ": "UTC"})
    lines = fitted(COLUMNS, cells_of(run_dirs.LIVE_ROWS, run_dirs.LIVE_AT), width, dense=True)
    return "\n".join("".join(cell.text for cell in line) for line in lines)


def test_people_read_a_dash_where_scripts_read_none(tree: Path) -> None:
    command = ("manifest-summary", "lab/artifacts/runpod/20260604T101500Z")
    assert "None" not in CONTROL.sub("", on_terminal(tree, *command))
    assert "run_id:        None" in on_terminal(tree, *command, environment={"NO_COLOR": "1"})
