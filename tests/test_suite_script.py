"""`.ci/test` on small suites: what fails beside others may pass alone, and nothing else passes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.all_ran import NOT_ALL_RAN
from tests.support.workshop import REPOSITORY

CONFIG = f"""
[tool.pytest.ini_options]
addopts = "-q -p xdist -n 1"
pythonpath = ['{REPOSITORY}']
"""
CONFTEST = """
from tests.support.all_ran import pytest_addoption, pytest_configure
import os, pathlib, pytest
"""
TESTS = """
import os, pathlib, signal
def first(name):
    path = pathlib.Path(name)
    known = path.exists()
    path.touch()
    return not known
def test_one(): pass
def test_two(): pass
"""
BESIDE_OTHERS = "def test_busy(): assert not first('tried')"
FAILING = "def test_wrong(): assert False"
WORKER_ENDS_ONCE = "def test_crash():\n    if first('tried'): os._exit(1)"
WORKER_ENDS = "def test_crash(): os._exit(1)"
PYTEST_IS_KILLED = "def test_killer():\n    if first('tried'): os.kill(os.getppid(), signal.SIGKILL)"
HOOK_FAILS = """
def pytest_runtest_protocol(item):
    if item.name == "test_two" and not pathlib.Path("tried").exists():
        pathlib.Path("tried").touch()
        raise OSError("inside a hook")
"""
TEST_IS_LOST = "def pytest_runtest_protocol(item): return True if item.name == 'test_two' else None"


@pytest.mark.parametrize("more", [BESIDE_OTHERS, WORKER_ENDS_ONCE], ids=["a test fails", "a worker ends"])
def test_what_fails_beside_others_may_pass_alone(tmp_path: Path, more: str) -> None:
    done = suite(tmp_path, more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 failed" in done.stdout and "1 passed" in done.stdout


@pytest.mark.parametrize("more", [FAILING, WORKER_ENDS], ids=["a test fails", "a worker ends"])
def test_what_fails_alone_fails(tmp_path: Path, more: str) -> None:
    done = suite(tmp_path, more)
    assert done.returncode != 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("more", "hook", "status"),
    [(PYTEST_IS_KILLED, "", "unknown"), ("", HOOK_FAILS, str(NOT_ALL_RAN)), (FAILING, TEST_IS_LOST, str(NOT_ALL_RAN))],
    ids=["pytest is killed", "a hook fails", "a test is lost"],
)
def test_a_suite_that_did_not_end_is_not_tried_again(tmp_path: Path, more: str, hook: str, status: str) -> None:
    done = suite(tmp_path, more, hook)
    assert done.returncode != 0, done.stdout + done.stderr
    assert f"pytest ended with status {status}" in done.stderr and "--last-failed" not in done.stdout


def test_a_lost_test_is_counted_and_fails_the_run(tmp_path: Path) -> None:
    done = suite(tmp_path, "", TEST_IS_LOST)
    assert done.returncode != 0
    assert "1 of 2 tests never ran, such as test_it.py::test_two" in done.stdout


def suite(folder: Path, more: str, hook: str = "") -> subprocess.CompletedProcess[str]:
    """The ended script, in a checkout with these tests."""
    (folder / ".ci").mkdir()
    for name in (".ci/test", "Makefile"):
        shutil.copy2(REPOSITORY / name, folder / name)
    (folder / "pyproject.toml").write_text(CONFIG)
    (folder / "constraints.txt").touch()
    (folder / "conftest.py").write_text(CONFTEST + hook)
    (folder / "test_it.py").write_text(TESTS + more)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv" / "ready").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MAKE"))}
    kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # of eight plugins, the script needs one
    return subprocess.run([".ci/test"], cwd=folder, env=kept, capture_output=True, text=True, timeout=300)
