"""The config that `init` writes for somebody's project succeeds in a rehearsal, as it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support import projects
from tests.support.workshop import Workshop

PACKAGES = "WITH_PACKAGES"
needs_packages = pytest.mark.skipif(not os.environ.get(PACKAGES), reason=f"it installs from PyPI; set {PACKAGES}=1")
needs_conda = pytest.mark.skipif(not shutil.which("micromamba", path="/usr/local/bin:/usr/bin"), reason="no micromamba")


@pytest.mark.parametrize(
    "kind",
    [
        "monorepo",
        pytest.param("uv", marks=needs_packages),
        pytest.param("pip", marks=needs_packages),
        pytest.param("conda", marks=needs_conda),
    ],
)
def test_a_first_config_succeeds(tmp_path: Path, kind: str) -> None:
    workshop = Workshop(projects.make(kind, tmp_path / "project"), tmp_path / "home")
    workshop.home.mkdir()
    assert workshop.run("runpod-deploy", "init").returncode == 0
    done = workshop.rehearse("runpod-deploy", "run", "--config", "runpod.yaml")
    assert done.exit_code == 0, done.output
    assert f"data: 3000 token: {len(projects.TOKEN)}" in done.output and projects.TOKEN not in done.output
    assert list(workshop.dir.glob("artifacts/runpod/*/*/model.txt")), done.output
    assert done.ledger["pods_left"] == 0
