"""Exclude patterns mean what rsync means by them; where the machine has rsync, it is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runpod_deploy.pod.transfer import rsync
from runpod_deploy.pod.transfer.excludes import Excludes
from runpod_deploy.pod.transfer.tree import local_tree

FILES = (
    "a",
    "b/a",
    "b/c/a",
    "b/c/d.pyc",
    "d.pyc",
    "foo/bar/x",
    "foo/x",
    "x/foo/bar/y",
    "foobar",
    "b/foo",
    "[z]",
    "b/a*c",
    "back\\slash",
    ".git/config",
    "sub/.git/config",
    "sub/__pycache__/m",
    "__pycache__/m",
    "deep/er/data.csv",
    "B/A",
)

CASES = [
    (("a",), {"a", "b/a", "b/c/a"}),
    (("/a",), {"a"}),
    (("a/",), set()),
    (("foo/",), {"foo/bar/x", "foo/x", "x/foo/bar/y"}),
    (("foo/bar",), {"foo/bar/x", "x/foo/bar/y"}),
    (("/foo/bar/",), {"foo/bar/x"}),
    (("*.pyc",), {"d.pyc", "b/c/d.pyc"}),
    (("b/*.pyc",), set()),
    (("b/**.pyc",), {"b/c/d.pyc"}),
    (("**/__pycache__/",), {"sub/__pycache__/m", "__pycache__/m"}),
    ((".git/",), {".git/config", "sub/.git/config"}),
    (("/foo/***",), {"foo/bar/x", "foo/x"}),
    (("[ab]",), {"a", "b/a", "b/c/a", "b/foo", "b/c/d.pyc", "b/a*c"}),
    (("[!a-z]",), {"B/A"}),
    ((r"\[z]",), {"[z]"}),
    ((r"[[]z]",), {"[z]"}),
    ((r"a\*c",), {"b/a*c"}),
    (("back\\slash",), {"back\\slash"}),
    (("foo?ar",), {"foobar"}),
    (("+ /b/a", "a"), {"a", "b/c/a"}),
    (("- *.pyc", "!"), set()),
    (("[[:upper:]]",), {"B/A"}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("excluded")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def kept(folder: Path, patterns: tuple[str, ...]) -> set[str]:
    return {path for path, entry in local_tree(folder, Excludes(patterns)).items() if entry.kind == "f"}


def kept_by_rsync(folder: Path, patterns: tuple[str, ...]) -> set[str]:
    words = ["rsync", "-r", "--list-only", "-8", *(f"--exclude={pattern}" for pattern in patterns), f"{folder}/", "."]
    told = subprocess.run(words[:-1], capture_output=True, check=True).stdout.decode()
    rows = [row.split(maxsplit=4) for row in told.splitlines()]
    return {row[4].replace("\\#134", "\\") for row in rows if row[0].startswith("-")}


@pytest.mark.parametrize(("patterns", "left_out"), CASES)
def test_patterns(folder: Path, patterns: tuple[str, ...], left_out: set[str]) -> None:
    assert set(FILES) - kept(folder, patterns) == left_out


@pytest.mark.parametrize(("patterns", "left_out"), CASES)
def test_rsync_agrees(folder: Path, patterns: tuple[str, ...], left_out: set[str]) -> None:
    if not rsync.here():
        pytest.skip("no rsync here to ask")
    assert set(FILES) - kept_by_rsync(folder, patterns) == left_out


PIECES = st.sampled_from(
    ["a", "b", "foo", "bar", "x", "*", "**", "?", "/", "[ab]", "[!a]", ".pyc", "c", "d", "\\", "***"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patterns=st.lists(st.lists(PIECES, min_size=1, max_size=5).map("".join), min_size=1, max_size=2).map(tuple))
def test_rsync_agrees_on_any_pattern(folder: Path, patterns: tuple[str, ...]) -> None:
    if not rsync.here():
        pytest.skip("no rsync here to ask")
    assert kept(folder, patterns) == kept_by_rsync(folder, patterns)


def test_exact_paths_are_no_patterns(folder: Path) -> None:
    excludes = Excludes((), ("b", "[z]", "sub/.git/"))
    left = {path for path, entry in local_tree(folder, excludes).items() if entry.kind == "f"}
    assert set(FILES) - left == {name for name in FILES if name.startswith(("b/", "[z]", "sub/.git"))}


def test_the_git_folder_of_a_worktree_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in (".git", "inner/.git", "git", ".gitignore"):
        (tmp_path / name).write_text("gitdir: /home/me/project/.git/worktrees/x\n")
    assert set(local_tree(tmp_path, Excludes((".git/",)))) == {"inner", "git", ".gitignore"}
    assert set(local_tree(tmp_path, Excludes(("/.git/",)))) == {"inner", "inner/.git", "git", ".gitignore"}


@pytest.mark.parametrize("star", ["*", "**", "**a*", "?*", "**/*"])
def test_many_stars_end_on_a_long_name(star: str) -> None:
    name = "/".join(["a" * 60] * 4)
    assert not Excludes((f"{star}a" * 30 + "b",)).leave_out(name, is_dir=False)
    assert Excludes((f"{star}a" * 3 + "*",)).leave_out(name, is_dir=False)
