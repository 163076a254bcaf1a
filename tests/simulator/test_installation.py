"""The command without the libraries of the `sim` extra, as after a plain `pip install runpod-deploy`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from .document import ROOT

CODE = """
import sys
sys.path += sys.argv[1:3]
sys.argv = ["runpod-sim", *sys.argv[3:]]
from runpod_sim.cli import main
main()
"""


@pytest.fixture
def plain_install(tmp_path: Path) -> Path:
    """A folder of packages without aiohttp, asyncssh, graphql-core and jsonschema."""
    assert click.__file__
    (tmp_path / "click").symlink_to(Path(click.__file__).parent)
    return tmp_path


@pytest.mark.parametrize("arguments", [["--help"], ["faults"], ["serve"], ["exec", "--", "true"], ["chaos", "--help"]])
def test_without_the_extra_one_sentence_says_what_to_install(plain_install: Path, arguments: list[str]) -> None:
    # -I and -S: no site-packages, so nothing of the test environment can be imported.
    argv = [sys.executable, "-I", "-S", "-c", CODE, str(ROOT / "src"), str(plain_install), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (69, "")
    assert "Traceback" not in done.stderr
    assert done.stderr == (
        "runpod-sim: the simulator's libraries are not installed (aiohttp, asyncssh, graphql, jsonschema); "
        "run: pip install 'runpod-deploy[sim]'\n"
    )


def test_with_the_extra_help_names_every_command() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("runpod-sim")), "--help"], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name} " in done.stdout for name in ("chaos", "exec", "faults", "serve"))
