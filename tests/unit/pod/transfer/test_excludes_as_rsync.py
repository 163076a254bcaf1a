"""Exclude patterns mean what they mean to rsync."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.tree import local_tree

TREE = (
    "a.py",
    "a.pyc",
    "data/a.bin",
    "data/raw/b.bin",
    "src/data/c.bin",
    "src/__pycache__/m.pyc",
    "src/deep/er/__pycache__/n.pyc",
    ".git/config",
    "odd [x]/?y",
    "ü/ñ.txt",
)
PATTERNS = (
    "*.pyc",
    "**/*.pyc",
    "**/__pycache__/",
    "__pycache__",
    "/data",
    "/data/",
    "data/",
    "data/raw",
    "raw/",
    "src/*/",
    "src/**",
    "src/**/n.pyc",
    "data/***",
    "a.p?",
    "a.p[xy]",
    "a.p[!y]*",
    "a.p[x-z]",
    ".git/",
    "/*.py",
    "d*/a.bin",
    "d**n",
    "*",
    "**",
    "ü",
    "*.txt",
    "\\*.py",
    "odd \\[x\\]",
    "er/",
    "deep/er",
    "[",
    "[z-a]",
    "a.p[]y]",
)
RSYNC = shutil.which("rsync")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def ours(tree: Path, patterns: list[str]) -> set[str]:
    return {name for name, entry in local_tree(tree, Excludes(patterns)).items() if entry.kind == "f"}


def rsyncs(tree: Path, patterns: list[str]) -> set[str]:
    flags = [f"--exclude={pattern}" for pattern in patterns]
    argv = ["rsync", "-a", "--dry-run", "--8-bit-output", "--out-format=%n", *flags, f"{tree}/", "/nonexistent/"]
    listing = subprocess.run(argv, check=True, capture_output=True).stdout.decode()
    return {line for line in listing.splitlines() if not line.endswith("/")}


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("*.pyc", {"a.pyc", "src/__pycache__/m.pyc", "src/deep/er/__pycache__/n.pyc"}),
        ("**/__pycache__/", {"src/__pycache__/m.pyc", "src/deep/er/__pycache__/n.pyc"}),
        ("/data", {"data/a.bin", "data/raw/b.bin"}),
        ("data/", {"data/a.bin", "data/raw/b.bin", "src/data/c.bin"}),
        ("a.py/", set()),
        ("data/raw", {"data/raw/b.bin"}),
        ("a.p[!c]*", {"a.py", "a.pyc"}),
        ("d*n", set()),
        ("**", set(TREE)),
    ],
)
def test_what_a_pattern_leaves_out(tree: Path, pattern: str, gone: set[str]) -> None:
    assert set(TREE) - ours(tree, [pattern]) == gone


@pytest.mark.skipif(RSYNC is None, reason="there is no rsync here to compare with")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3))
def test_rsync_agrees(tree: Path, patterns: list[str]) -> None:
    assert ours(tree, patterns) == rsyncs(tree, patterns)
