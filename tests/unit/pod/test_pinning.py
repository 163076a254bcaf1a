"""The pin step in a real shell, with a fake uv that records its calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runpod_deploy.pod.pinning import pin_python, pinned_version

UV = f"""#!/bin/sh
echo "$@" >> "$HOME/uv.calls"
case "$1 $2" in
  "python find") echo {sys.executable} ;;
esac
"""


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    """A folder with the few programs that the step needs, without uv."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "mkdir", "cat", "chmod"):
        (folder / name).symlink_to(f"/bin/{name}")
    return folder


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def pin(tmp_path: Path, bin_dir: Path) -> str:
    """The output of the step."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    command = pin_python("3.12").command
    environ = {"HOME": str(home), "PATH": str(bin_dir), "UV_INSTALL_DIR": str(tmp_path / "installed")}
    done = subprocess.run(["/bin/sh", "-c", command], env=environ, check=True, capture_output=True)
    assert not (home / ".python-version").exists(), "no other project of this pod or volume is pinned"
    assert (home / "uv.calls").read_text().splitlines() == ["python install 3.12", "python find 3.12"]
    return done.stdout.decode()


def check(output: str) -> None:
    assert pinned_version(output) == ".".join(map(str, sys.version_info[:3]))


def test_uv_on_the_path(tmp_path: Path, bin_dir: Path) -> None:
    program(bin_dir / "uv", UV)
    check(pin(tmp_path, bin_dir))


def test_uv_where_its_installer_puts_it(tmp_path: Path, bin_dir: Path) -> None:
    program(tmp_path / "home" / ".local" / "bin" / "uv", UV)
    check(pin(tmp_path, bin_dir))


@pytest.mark.parametrize("fetcher", ["curl", "wget"])
def test_uv_installed_first(tmp_path: Path, bin_dir: Path, fetcher: str) -> None:
    program(tmp_path / "uv", UV)
    copy = f'mkdir -p "$UV_INSTALL_DIR"; cat "{tmp_path}/uv" > "$UV_INSTALL_DIR/uv"; chmod +x "$UV_INSTALL_DIR/uv"'
    program(bin_dir / fetcher, f"#!/bin/sh\necho '{copy}'\n")
    check(pin(tmp_path, bin_dir))
    assert os.access(tmp_path / "installed" / "uv", os.X_OK)


def test_without_a_report_there_is_no_version() -> None:
    assert pinned_version("uv: not found\n") is None
