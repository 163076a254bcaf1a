"""Official clients, installed from their registries into folders that are kept between runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.conftest import Sim, _shared, home, sim  # noqa: F401 - these are fixtures here, too

OFFLINE = "it cannot be installed here (no registry within reach?)"
INSTALL_S = 240


def installed(folder: Path, commands: list[list[str]]) -> Path:
    """The folder after these commands, which ran in it once; the test is skipped if one of them fails."""
    done = folder / "installed"
    if not done.exists():
        for command in commands:
            try:
                subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_S)
            except (subprocess.SubprocessError, OSError) as error:
                pytest.skip(f"{' '.join(command[-2:])}: {OFFLINE}: {error}")
        done.touch()
    return folder


def python_client(cache: pytest.Cache, requirement: str) -> str:
    """The Python of an environment of its own with this package."""
    folder = cache.mkdir("client-" + requirement.replace("==", "-"))
    python = str(folder / "venv/bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", requirement]
    installed(folder, [[sys.executable, "-m", "venv", "venv"], pip])
    return python
