"""Sessions over existing run dirs: the lines after `$` are run, and their output is compared byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import run_dirs

HERE = Path(__file__).parent / "records"
SESSIONS = sorted(HERE.glob("*.txt"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_dirs.build(tmp_path_factory.mktemp("records"))


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_session(session: Path, tree: Path) -> None:
    expected = session.read_text(encoding="utf-8")
    if "| jq" in expected and not shutil.which("jq"):
        pytest.skip("jq reads along, and is not installed")
    actual = "".join(transcript(command, tree) for command in commands(expected))
    if os.environ.get("WRITE_TRANSCRIPTS"):
        session.write_text(actual, encoding="utf-8")
    assert actual == expected


def commands(text: str) -> Iterator[str]:
    """The commands of a session."""
    return (line[2:] for line in text.splitlines() if line.startswith("$ "))


def transcript(command: str, tree: Path) -> str:
    """The command, its stdout, its stderr after `! `, and its exit status if that is not 0."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=tree,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tree), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    messages = "".join(f"! {line}\n" for line in done.stderr.decode().splitlines())
    status = f"[exit {done.returncode}]\n" if done.returncode else ""
    return f"$ {command}\n" + done.stdout.decode().replace(str(tree), "<tree>") + messages + status


@pytest.fixture(scope="module")
def large_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with so many runs that the output of no command fits into a pipe's buffer."""
    root = tmp_path_factory.mktemp("large")
    lines = b"".join(run_dirs.OURS for _ in range(20))
    for index in range(400):
        run_dirs.write(root / "artifacts" / "runpod" / f"20260604T{index:06}Z", run_dirs.v2(), events=lines)
    (root / "artifacts" / "runpod" / "20260604T000000Z" / "events.jsonl").write_bytes(lines * 100)
    return root


@pytest.mark.parametrize(
    "command",
    [
        "manifest-summary --root .",
        "manifest-summary --root . --json",
        "ls-runs --json",
        "ls-runs --all",
        "events artifacts/runpod/20260604T000000Z",
        "events-query --root .",
        "events-query --root . --filter event=heartbeat --json",
    ],
)
def test_a_command_ends_quietly_if_its_reader_ends(command: str, large_tree: Path) -> None:
    first = transcript(f"runpod-deploy {command} | head -1", large_tree).splitlines()

    assert len(first) == 2, "no message, and no exit status but 0"
