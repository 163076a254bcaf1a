"""A run folder of a stranger with devices, pipes and huge files in it: every command ends, with words and in bounds."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transcripts import run_dirs

TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
MEMORY_BYTES = 1 << 30
NAMES = (run_dirs.MANIFEST, "spec.json", "events.jsonl", "metrics.jsonl", "run.log", "host_log.jsonl")
COMMANDS = {
    "status": ("status", "{run}"),
    "events": ("events", "{run}"),
    "ls-runs": ("ls-runs",),
    "manifest-summary": ("manifest-summary", "{run}"),
    "report": ("report", "--root", ".", "-o", "{page}"),
    "logs": ("logs", "--no-follow", "{run}"),
}


def stay_small() -> None:
    """The program gets no more memory than this."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run of such files of each kind."""
    root = tmp_path_factory.mktemp("endless")
    for kind in ("device", "pipe", "sparse"):
        run = root / "artifacts" / "runpod" / kind
        run.mkdir(parents=True)
        for name in NAMES:
            odd(run / name, kind)
    return root


def odd(path: Path, kind: str) -> None:
    """Makes a file of that kind."""
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.touch()
        os.truncate(path, 40 << 30)


@pytest.mark.parametrize("kind", ["device", "pipe", "sparse"])
@pytest.mark.parametrize("command", COMMANDS)
def test_it_ends(command: str, kind: str, project: Path, tmp_path: Path) -> None:
    places = {"run": f"artifacts/runpod/{kind}", "page": str(tmp_path / "page.html")}
    done = subprocess.run(
        [TOOL, *(word.format(**places) for word in COMMANDS[command])],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=stay_small,
    )

    assert done.returncode in (0, 2) and "Traceback" not in done.stderr, done.stderr
    assert re.search("not a regular file|larger than|not a run dir", done.stderr), done.stderr
