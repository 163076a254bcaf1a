"""Files that a run would write outside of its project are named before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runpod_deploy.config import load

from .conftest import Write


def test_what_goes_out_of_the_project_is_named(plain: dict[str, Any], write: Write, tmp_path: Path) -> None:
    plain["artifacts"] = [
        {"label": "in", "remote_path": "/workspace/a", "local_path": "results/a"},
        {"label": "run", "remote_path": "/workspace/b", "local_path": "{run_dir}/"},
        {"label": "out", "remote_path": "/workspace/c", "local_path": "../elsewhere/c"},
        {"label": "abs", "remote_path": "/workspace/d", "local_path": str(tmp_path / "d")},
    ]
    plain["state_file"] = str(tmp_path / "state.json")
    (tmp_path / "d").touch()
    found = [finding for finding in load(write(plain)).findings if "outside of the project" in finding.message]
    assert [finding.level for finding in found] == ["warning"] * 3
    assert [finding.message.split(" is ")[-1] for finding in found] == ["written there", "replaced", "written there"]
    assert {finding.message.split(": ")[1].split(" is")[0] for finding in found} == {
        str(tmp_path / name) for name in ("elsewhere/c", "d", "state.json")
    }
