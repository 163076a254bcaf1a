"""Projects that somebody made to stop the commands that look at them: each look ends, and says nothing of ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runpod_deploy.config.project_files import look_at
from runpod_deploy.config.pyproject import read_pyproject

TOML = {
    "arrays in arrays": "a=" + "[" * 100_000,
    "tables in tables": "a=" + "{b=" * 50_000,
    "a key of a million parts": ".".join(["a"] * 1_000_000) + "=1",
    "a table's name of a million parts": "[" + ".".join(["a"] * 1_000_000) + "]",
    "a quoted key of many parts": " . ".join(['"a b"'] * 400_000) + "=1",
    "no key": "a" * 4_000_000,
}
"""Without a limit, Python takes minutes for the keys, and gives up with RecursionError for the rest."""


@pytest.mark.parametrize("name", TOML)
def test_a_pyproject_that_nobody_wrote_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML[name])
    assert read_pyproject(tmp_path) == {}


def test_a_long_but_honest_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.a.b]\n" + ".".join("abcdefghij") + " = 'x.y.z'\n")
    assert read_pyproject(tmp_path)["tool"]["a"]["b"]["a"]["b"]


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder that is removed with all below it, however deep: pytest removes folders by recursion."""
    (tmp_path / "data").mkdir()
    yield tmp_path / "data"
    subprocess.run(["rm", "-rf", tmp_path / "data"], check=True)


def test_data_of_any_depth_is_measured(tmp_path: Path, deep: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("data/\n")
    (deep / "x").write_bytes(b"x" * 1000)
    here = os.open(deep, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert look_at(tmp_path).data == {"data": 1000}


def test_programs_are_looked_for_among_the_first_files_only(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"m{number:03}.py").write_text("x = 1\n")
    (tmp_path / "z.py").write_text('if __name__ == "__main__":\n    pass\n')
    assert look_at(tmp_path).entry == ""


def test_links_that_lead_to_themselves_stop_nothing(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "train.py", ".env", "outputs", "requirements.txt"):
        (tmp_path / name).symlink_to(name)
    assert look_at(tmp_path, "train.py").env_names == ()
