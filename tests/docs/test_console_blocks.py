"""Every console block of every page is run, in a fresh clone on a simulated cloud, and prints what the page shows.

`…` in a line stands for any text, and a line that is only `…` stands for any lines. Times, ids and ports differ between
runs, so both sides are normalized.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, Command, commands
from tests.support.workshop import REPOSITORY, open_workshop

# Parts that differ between two runs of one command, and their replacements.
FILTERS = (
    (r"\[ *\d+:\d\d\]", "[0:00]"),
    (r"\d{8}T\d{6}Z", "STAMP"),
    (r"\d\d:\d\d:\d\d UTC", "TIME"),
    (r"\bpod [a-z0-9]{14}\b", "pod ID"),
    (r"\b(port|process) \d+", r"\1 N"),
    (r"\bin \d+\.\d s\b", "in N s"),
)
PAGES_WITH_COMMANDS = [page for page in PAGES if commands(page)]


def test_pages_have_commands() -> None:
    assert len(PAGES_WITH_COMMANDS) > 10


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_page(page: Path, tmp_path: Path) -> None:
    shown = commands(page)
    workshop = open_workshop(tmp_path)
    (workshop.home / "page.sh").write_text(script(shown))
    folder = str(page.parent.relative_to(REPOSITORY)) if page.is_relative_to(REPOSITORY / "examples") else "."
    rehearsal = workshop.rehearse("bash", "-c", 'cd "$1" && . "$2"', "bash", folder, str(workshop.home / "page.sh"))
    for command, printed in zip(shown, outputs(rehearsal.output), strict=True):
        assert matches(command.expected, printed), f"{command.place}\n--- printed:\n{printed}"


def script(shown: list[Command]) -> str:
    """All commands for one shell, so that they share variables, with a separator line before each."""
    lines = ["shopt -s expand_aliases"]
    for command in shown:
        lines += ["echo '@@@'", command.text]
    return "\n".join(lines) + "\n"


def outputs(printed: str) -> list[str]:
    """The output of each command."""
    return [part.strip("\n") for part in printed.split("@@@\n")[1:]]


def matches(expected: tuple[str, ...], printed: str) -> bool:
    """Whether the page shows what was printed."""
    pattern = "".join(line_pattern(alike(line)) for line in expected)
    return re.fullmatch(pattern, "".join(f"{alike(line.rstrip())}\n" for line in printed.splitlines())) is not None


def alike(line: str) -> str:
    """The line without the parts that differ from run to run."""
    for pattern, replacement in FILTERS:
        line = re.sub(pattern, replacement, line)
    return line


def line_pattern(line: str) -> str:
    """The pattern that a line of the page stands for."""
    if line == "…":
        return r"(?:[^\n]*\n)*"
    return "[^\n]*".join(re.escape(part) for part in line.split("…")) + "\n"


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (("a …", "…", "d"), "a b\nc\nc\nd\n", True),
        (("…",), "", True),
        (("a",), "a\nb\n", False),
        ((), "error: no", False),
        (("exit 3",), "exit 30", False),
        (("[  0:00] pod ux0unljx9tzrg0 released",), "[ 12:31] pod a1b2c3d4e5f6g7 released", True),
        (("[  0:00] pod ux0unljx9tzrg0 released",), "[  0:00] pod withoutadigitx released", True),
        (("[  0:00] pod ux0unljx9tzrg0 released",), "[  0:00] pod ux0unljx9tzrg0 lost", False),
    ],
)
def test_what_matches(expected: tuple[str, ...], printed: str, same: bool) -> None:
    assert matches(expected, printed) is same
