"""A run folder full of texts that a terminal, a viewer or a browser would obey: every reading command shows text."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.lifecycle import carry_out
from runpod_deploy.record.spec_file import first_spec
from tests.support.worlds import Memory

TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
NASTY = "\x1b]52;c;aGk=\x07\x9b2J\x1b[2J\u202e\u2066\udc80\r\x00<script>"
HARMLESS = {"ts_utc", "event", "created_at", "since_utc", "stop_at", "deadline_at", "mode", "source", "pod_id", "host"}
KEPT = {*HARMLESS, "run_id", "state", "outcome", "storage_mode", "schema_version", "started_at", "on_success"}
COMMANDS = {
    "status": ("status", "RUN"),
    "events": ("events", "RUN"),
    "events as json": ("events", "RUN", "--json"),
    "events-query": ("events-query", "--root", "."),
    "manifest-summary": ("manifest-summary", "RUN"),
    "manifest-summary as json": ("manifest-summary", "RUN", "--json"),
    "ls-runs": ("ls-runs",),
    "compare-runs": ("compare-runs", "RUN", "RUN"),
    "logs": ("logs", "RUN"),
    "resume of a finished run": ("resume", "RUN"),
}


def spoiled(value: Any, key: str = "") -> Any:
    """The value with the nasty text in every text that is free to hold any."""
    if isinstance(value, dict):
        return {name: spoiled(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [spoiled(item, key) for item in value]
    return (
        f"{NASTY}{value}" if isinstance(value, str) and key not in KEPT and not key.endswith(("_utc", "_at")) else value
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run that is over."""
    root = tmp_path_factory.mktemp("nasty")
    world = Memory(root, log=b"__RUNPOD_EVENT__ " + json.dumps({"event": NASTY, NASTY: NASTY}).encode() + b"\nDONE\n")
    first_spec(world.spec, world.dir)
    carry_out(world.open())
    rows = [spoiled(json.loads(line)) for line in world.dir.events.read_text().splitlines()]
    world.dir.events.write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = {"schema_version": "v2", "job_name": NASTY, "gpu_id": NASTY, "failed": True, "telemetry_files": [NASTY]}
    world.dir.manifest.write_text(
        json.dumps({**manifest, "failure": {"kind": NASTY}, "deploy_metadata": {NASTY: NASTY}})
    )
    world.dir.log.write_bytes(f"{NASTY}\none\x1b[2J\ttwo".encode(errors="replace"))
    return root


def on_terminal(argv: list[str], cwd: Path, **env: str) -> bytes:
    """Everything that a command writes to a terminal."""
    ours, theirs = pty.openpty()
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **env}
    process = subprocess.Popen(argv, cwd=cwd, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    pieces: list[bytes] = []
    reader = threading.Thread(target=drain, args=(ours, pieces))
    reader.start()
    process.wait(300)
    reader.join(20)
    os.close(ours)
    return b"".join(pieces)


def drain(fd: int, pieces: list[bytes]) -> None:
    """Everything that comes, until the other side has closed."""
    try:
        while data := os.read(fd, 1 << 16):
            pieces.append(data)
    except OSError:
        return


def argv(name: str, project: Path) -> list[str]:
    """The command line."""
    (run,) = (project / "artifacts/runpod").glob("[!.]*")
    return [TOOL, *(str(run) if word == "RUN" else word for word in COMMANDS[name])]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_terminal_is_told_nothing_that_it_obeys(name: str, project: Path) -> None:
    coloured, plain = on_terminal(argv(name, project), project), on_terminal(argv(name, project), project, NO_COLOR="1")
    for written in (coloured, plain):
        assert b"Traceback (most" not in written and written.strip()
        text = written.decode()
        assert not [bad for bad in ("\x1b]", "\x1b[2J", "\x07", "\x9b", "\u202e", "\u2066", "\x00") if bad in text]
    odd = {char for char in plain.decode() if unicodedata.category(char).startswith("C") and char not in "\r\n\t"}
    assert odd == set() and b"\r" not in plain.replace(b"\r\n", b"\n")


def test_a_file_gets_the_log_as_it_is_and_a_terminal_only_with_raw(project: Path) -> None:
    command = argv("logs", project)
    log = (project / "artifacts/runpod").glob("*/run.log")
    piped = subprocess.run(command, cwd=project, capture_output=True, env={**os.environ, "HOME": str(project)})
    assert piped.stdout == next(log).read_bytes()
    shown = on_terminal(command, project)
    assert b"one\\x1b[2J" in shown and shown.rstrip().endswith(b"two"), "the unfinished line is shown, too"
    assert b"\x1b[2J" in on_terminal([*command, "--raw"], project)


def test_a_page_holds_only_text(project: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    (run,) = (project / "artifacts/runpod").glob("[!.]*")
    done = subprocess.run([TOOL, "report", str(run), "-o", str(page)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "<script>" not in text and "\\u202e" in text
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in "\n\t"]
