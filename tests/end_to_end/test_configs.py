"""Bodies with the traps of real configs, carried to a pod and run there: they arrive byte for byte."""

from __future__ import annotations

from pathlib import Path

import yaml

from runpod_deploy.config import load
from tests.support.harness import Simulator, Tool
from tests.unit.config.test_user_configs import BODY

USER_CONFIGS = Path(__file__).parent.parent / "unit" / "config" / "user_configs"
TRAPS = ("03_awk", "04_fstrings", "05_quotes", "06_utf8", "17_predictions", "18_foreign_braces")

IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"


def extended(folder: Path, name: str) -> Path:
    """A user's config on an image that answers over SSH, with its script as the only artifact and nothing to stage."""
    original = load(USER_CONFIGS / f"{name}.yaml")
    folder.mkdir()
    path = folder / "job.yaml"
    script = {"label": "script", "remote_path": original.job.run.script_path, "local_path": "{run_dir}/script"}
    changed = {"pod": {"image": IMAGE}, "artifacts": [script], "staging": []}
    path.write_text(yaml.safe_dump({"extends": str(original.path), **changed}))
    return path


def test_bodies_arrive_byte_for_byte_and_run(sim: Simulator, tmp_path: Path) -> None:
    tools = {
        name: Tool(sim, "run", "--config", str(extended(tmp_path / name, name)), "--print-run-dir") for name in TRAPS
    }
    for name, tool in tools.items():
        ended = tool.end(within_s=200)
        assert ended.code == 0, (name, ended.err)
        body = yaml.safe_load((USER_CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))["run"]["body"]
        for before, after in BODY[name]:
            body = body.replace(before, after)
        assert ended.run_dir
        assert (ended.run_dir / "script").read_bytes().endswith(b"\n" + body.encode()), name
    assert sim.ledger["pods_left"] == 0
