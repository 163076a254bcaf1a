"""Commands whose stdin, stdout or stderr is closed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.harness import TOOL

CONFIG = {
    "name": "job",
    "pod": {"image": "ubuntu:24.04", "datacenters": ["EU-RO-1"], "gpu_order": ["NVIDIA A40"]},
    "storage": {"mode": "ephemeral", "volume_gb": 10},
    "budget": {"cost_cap_usd": 100},
    "run": {"script_path": "/workspace/r.sh", "log_path": "/workspace/r.log", "body": "echo"},
}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("validate", 0), ("run --offline-dry-run", 0), ("run", 4)])
def test_closed_streams_change_no_exit_code(tmp_path: Path, closed: str, command: str, code: int) -> None:
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(CONFIG))
    line = f"exec {TOOL} {command} --config job.yaml {closed}"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    ended = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "job.yaml").read_text() == yaml.safe_dump(CONFIG)
