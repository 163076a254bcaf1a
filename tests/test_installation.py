"""The lines by which people install this: each is tried on a copy of the checkout, with an empty home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.packages import need_packages
from tests.support.workshop import REPOSITORY

WITHIN_S = 600
NOT_INSTALLED = 69
BASE = {
    "the wheel": "python3 -m venv ~/env && ~/env/bin/pip install -q dist/*.whl",
    "pip": "python3 -m venv ~/env && ~/env/bin/pip install -q .",
}
WITH_SIMULATOR = {
    "the wheel with the simulator": 'python3 -m venv ~/env && ~/env/bin/pip install -q "$(echo dist/*.whl)[sim]"',
    "pipx": "pipx install -q '.[sim]'",
    "uv": "uv tool install -q '.[sim]'",
}


@pytest.mark.long
@pytest.mark.timeout(6 * WITHIN_S)
def test_each_line_installs_commands_that_work(tmp_path: Path) -> None:
    """One test, because all of them need the same wheel and the same installers."""
    need_packages()
    checkout = copy_of_checkout(tmp_path / "checkout")
    installers = home_with_project(tmp_path / "installers")
    shell("python3 -m venv ~/env && ~/env/bin/pip install -q pipx uv && uv build -q --wheel", checkout, installers)
    for way, line in (BASE | WITH_SIMULATOR).items():
        home = home_with_project(tmp_path / way)
        shell(line, checkout, home, installers / "env/bin")
        assert "ok: hello.yaml" in shell("runpod-deploy validate -c hello.yaml", home / "project", home)
        (rehearses if way in WITH_SIMULATOR else says_what_to_install)(home)
        shutil.rmtree(home)


def rehearses(home: Path) -> None:
    """The installed commands carry out a run on the simulator."""
    shell("runpod-sim exec --strict -- runpod-deploy run -q -c hello.yaml", home / "project", home)
    assert list((home / "project").glob("artifacts/runpod/*/greeting.txt"))


def says_what_to_install(home: Path) -> None:
    """The simulator without its libraries names the extra."""
    assert "[sim]" in shell("runpod-sim exec -- true", home / "project", home, status=NOT_INSTALLED)


def copy_of_checkout(folder: Path) -> Path:
    """A folder with the files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, folder / name)
    return folder


def home_with_project(home: Path) -> Path:
    """A home with nothing in it but a project."""
    shutil.copytree(REPOSITORY / "examples/hello", home / "project", ignore=shutil.ignore_patterns("artifacts"))
    return home


def shell(line: str, folder: Path, home: Path, *more: Path, status: int = 0) -> str:
    """What the line prints in this folder, where the programs of the home and of `more` are found first."""
    python = Path(sys.executable).resolve().parent
    places = [home / "env/bin", home / ".local/bin", *more, python, "/usr/bin", "/bin"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    kept |= {"PIP_CACHE_DIR": str(home.parent / "cache"), "PIP_NO_COMPILE": "1"}  # half of the time of an installation
    environment = {**kept, "HOME": str(home), "PATH": os.pathsep.join(map(str, places)), "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=WITHIN_S
    )
    assert done.returncode == status, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr
